#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace swarm::test {

// Sets every field of a message, by reflection, to a value of its own that is not the default: two
// items in each repeated field, and of a oneof the field `pick_oneof` names. Fields that exist in
// the proto and not in a codec come back missing, so a forgotten field cannot survive.
class MessageFiller {
 public:
  // `variant` shifts all values, and chooses other enum values and oneof members.
  explicit MessageFiller(int variant) : next_(variant * 1000 + 1), variant_(variant) {}

  void fill(google::protobuf::Message* message) {
    const auto* descriptor = message->GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const auto* field = descriptor->field(i);
      const auto* oneof = field->real_containing_oneof();
      if (oneof != nullptr && oneof->field(variant_ % oneof->field_count()) != field) {
        continue;
      }
      const int count = field->is_repeated() ? 2 : 1;
      for (int item = 0; item < count; ++item) {
        set(message, field);
      }
    }
  }

 private:
  using Field = google::protobuf::FieldDescriptor;

  void set(google::protobuf::Message* message, const Field* field) {
    const auto* reflection = message->GetReflection();
    const bool many = field->is_repeated();
    const int number = next_++;
    switch (field->cpp_type()) {
      case Field::CPPTYPE_MESSAGE:
        fill(many ? reflection->AddMessage(message, field)
                  : reflection->MutableMessage(message, field));
        break;
      case Field::CPPTYPE_STRING:
        many ? reflection->AddString(message, field, text(number))
             : reflection->SetString(message, field, text(number));
        break;
      case Field::CPPTYPE_ENUM:
        reflection->SetEnum(message, field, enum_value(field));
        break;
      case Field::CPPTYPE_BOOL:
        reflection->SetBool(message, field, true);
        break;
      case Field::CPPTYPE_DOUBLE:
        reflection->SetDouble(message, field, number + 0.5);
        break;
      case Field::CPPTYPE_INT32:
        reflection->SetInt32(message, field, -number);
        break;
      case Field::CPPTYPE_INT64:
        reflection->SetInt64(message, field, -number);
        break;
      case Field::CPPTYPE_UINT32:
        many ? reflection->AddUInt32(message, field, number)
             : reflection->SetUInt32(message, field, number);
        break;
      case Field::CPPTYPE_UINT64:
        many ? reflection->AddUInt64(message, field, number)
             : reflection->SetUInt64(message, field, number);
        break;
      default:
        std::abort();  // a kind of field nobody has used so far: add it here
    }
  }

  // Not UTF-8, with a NUL; grows with the number, because sets and maps sort.
  static std::string text(int number) {
    return std::to_string(1'000'000 + number) + std::string("\xff\0", 2);
  }

  const google::protobuf::EnumValueDescriptor* enum_value(const Field* field) const {
    const auto* type = field->enum_type();
    return type->value(1 + variant_ % (type->value_count() - 1));
  }

  int next_;
  int variant_;
};

}  // namespace swarm::test
