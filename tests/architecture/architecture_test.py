#!/usr/bin/env python3
"""Each rule of architecture.py fails on a planted violation, and the smallest sound tree passes."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import architecture  # noqa: E402


class Tree:
    """A tiny project in a temporary folder."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.write("proto/a.proto", "service Services {\n  rpc Get(A) returns (B);\n}\n")
        self.module("base", "base")
        self.module("state", "state", "base")
        self.module("scheduler", "scheduler", "state")
        self.module("dispatcher", "dispatcher", "state")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def module(self, name, path, *depends):
        self.write(f"src/{path}/CMakeLists.txt",
                   f"swarm_module({name} PATH {path} SOURCES a.cpp DEPENDS {' '.join(depends)})\n")
        self.write(f"src/{path}/{name}.h", "#pragma once\n\nint a();\n")

    def violations(self):
        return list(architecture.check(self.root))


class ArchitectureTest(unittest.TestCase):
    def setUp(self):
        self.tree = Tree()
        self.addCleanup(self.tree.folder.cleanup)

    def plant(self, text, path="src/scheduler/a.cpp"):
        self.tree.write(path, text)

    def expect(self, fragment):
        violations = self.tree.violations()
        self.assertTrue(any(fragment in v for v in violations), violations)

    def test_a_sound_tree_passes(self):
        self.plant('#include "state/state.h"\n\nint a() {\n  return 1;\n}\n')
        self.assertEqual(self.tree.violations(), [])

    def test_deciders_may_not_include_one_another(self):
        self.plant('#include "dispatcher/dispatcher.h"\n')
        self.expect("may not include dispatcher/dispatcher.h")

    def test_deciders_may_not_depend_on_one_another(self):
        self.tree.module("scheduler", "scheduler", "state", "dispatcher")
        self.expect("scheduler: may not depend on dispatcher")

    def test_lower_layers_may_not_depend_on_higher_ones(self):
        self.tree.module("state", "state", "scheduler")
        self.expect("state: may not depend on scheduler")

    def test_cycles_are_found(self):
        self.tree.module("base", "base", "state")
        self.expect("cycle: base -> state -> base")

    def test_unknown_modules_are_found(self):
        self.tree.module("utils", "utils", "base")
        self.expect("utils: no layer")

    def test_grpc_stays_in_api(self):
        self.plant("#include <grpcpp/grpcpp.h>\n")
        self.expect("may not include <grpcpp/grpcpp.h>")

    def test_system_headers_stay_in_platform(self):
        self.plant("#include <unistd.h>\n")
        self.expect("<unistd.h> belongs in src/platform")

    def test_clocks_are_handed_in(self):
        self.plant("auto now = std::chrono::steady_clock::now();\n")
        self.expect("time comes from EventLoop")

    def test_nobody_sleeps(self):
        self.plant("void a() { std::this_thread::sleep_for(b); }\n")
        self.expect("await the condition")

    def test_long_files_are_found(self):
        self.plant("int a;\n" * 501)
        self.expect("501 lines")

    def test_long_functions_are_found(self):
        self.plant("void a() {\n" + "  b();\n" * 60 + "}\n")
        self.expect("function of 62 lines")

    def test_long_lines_are_found(self):
        self.plant("int " + "a" * 100 + ";\n")
        self.expect("105 columns")

    def test_headers_have_a_guard(self):
        self.plant("int a();\n", "src/scheduler/a.h")
        self.expect("#pragma once")

    def test_awaiting_a_brace_temporary_is_found(self):
        self.plant("void a() {\n  co_await f(Options{1});\n}\n")
        self.expect("src/scheduler/a.cpp:2: name the argument")

    def test_macros_of_windows_are_no_names(self):
        self.tree.write("proto/b.proto", "service B {\n  rpc CreateService(A) returns (B);\n}\n")
        self.expect("'CreateService' is a macro")

    def test_services_stay_small(self):
        methods = "".join(f"  rpc M{i}(A) returns (B);\n" for i in range(11))
        self.tree.write("proto/b.proto", "service B {\n" + methods + "}\n")
        self.expect("11 methods")

    def test_comments_may_say_anything(self):
        self.plant("// steady_clock, sleep_for and <unistd.h> are banned.\n")
        self.assertEqual(self.tree.violations(), [])


if __name__ == "__main__":
    unittest.main()
