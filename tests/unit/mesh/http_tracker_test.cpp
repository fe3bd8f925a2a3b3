#include "mesh/http_tracker.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace swarm::mesh {
namespace {

// Feeds all of `bytes` and returns where each request ended.
std::vector<size_t> feed_requests(HttpTracker& tracker, std::string_view bytes) {
  std::vector<size_t> ends;
  size_t position = 0;
  while (position < bytes.size()) {
    position += tracker.feed_request(bytes.substr(position));
    if (tracker.is_between_requests()) ends.push_back(position);
  }
  return ends;
}

// One request and one answer; then whether the tracker sees the connection idle.
bool is_idle_after(std::string_view request, std::string_view response) {
  HttpTracker tracker;
  feed_requests(tracker, request);
  tracker.feed_response(response);
  return tracker.is_idle();
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpTracker, IsUntouchedUntilAByteIsSeen) {
  HttpTracker tracker;
  EXPECT_TRUE(tracker.is_untouched());
  EXPECT_TRUE(tracker.is_idle());
  tracker.feed_request("G");
  EXPECT_FALSE(tracker.is_untouched());
  EXPECT_FALSE(tracker.is_idle());
}

TEST(HttpTracker, IsBusyFromTheFirstByteOfARequestToTheLastOfItsAnswer) {
  HttpTracker tracker;
  for (const char c : kGet) {
    tracker.feed_request(std::string_view(&c, 1));
    EXPECT_FALSE(tracker.is_idle());
  }
  EXPECT_TRUE(tracker.is_between_requests());
  for (size_t i = 0; i < kOk.size(); ++i) {
    EXPECT_FALSE(tracker.is_idle()) << "after " << i << " bytes of the answer";
    tracker.feed_response(kOk.substr(i, 1));
  }
  EXPECT_TRUE(tracker.is_idle());
  EXPECT_TRUE(tracker.keeps_open());
}

TEST(HttpTracker, OnlyAWholeUnansweredRequestWithoutABodyMayBeRepeated) {
  const auto may_repeat = [](std::string_view request, std::string_view response = "") {
    HttpTracker tracker;
    feed_requests(tracker, request);
    tracker.feed_response(response);
    return tracker.may_repeat();
  };
  EXPECT_FALSE(may_repeat(""));
  EXPECT_TRUE(may_repeat(kGet));
  EXPECT_TRUE(may_repeat("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(may_repeat(kGet.substr(0, kGet.size() - 1)));
  EXPECT_FALSE(may_repeat(kGet, "H"));
  EXPECT_FALSE(may_repeat(kGet, "HTTP/1.1 103 Early Hints\r\n\r\n"));
  EXPECT_FALSE(may_repeat(kGet, kOk)) << "answered";
  EXPECT_FALSE(may_repeat(std::string(kGet) + std::string(kGet))) << "which one was it?";
  EXPECT_FALSE(may_repeat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(may_repeat("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"));
}

TEST(HttpTracker, ARepeatedRequestIsAnsweredAsIfItWereNew) {
  HttpTracker tracker;
  feed_requests(tracker, kGet);
  tracker.rewind();
  EXPECT_TRUE(tracker.is_idle());
  feed_requests(tracker, kGet);
  tracker.feed_response(kOk);
  EXPECT_TRUE(tracker.is_idle());
  EXPECT_TRUE(tracker.keeps_open());
}

TEST(HttpTracker, StopsAtTheEndOfEachPipelinedRequest) {
  HttpTracker tracker;
  const std::string post = "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  const std::string bytes = std::string(kGet) + post + std::string(kGet);
  EXPECT_EQ(feed_requests(tracker, bytes),
            (std::vector<size_t>{kGet.size(), kGet.size() + post.size(), bytes.size()}));
  tracker.feed_response(std::string(kOk) + std::string(kOk));
  EXPECT_FALSE(tracker.is_idle()) << "one of three answers is missing";
  tracker.feed_response(kOk);
  EXPECT_TRUE(tracker.is_idle());
}

TEST(HttpTracker, FollowsChunkedBodiesWithExtensionsAndTrailers) {
  HttpTracker tracker;
  const std::string request =
      "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
      "4;name=value\r\nabcd\r\n0A\r\n0123456789\r\n0\r\nChecksum: 1\r\n\r\n";
  EXPECT_EQ(feed_requests(tracker, request), std::vector<size_t>{request.size()});
  const std::string response =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n\r\n0\r\n0\r\n\r\n";
  for (size_t i = 0; i < response.size(); ++i) {
    EXPECT_FALSE(tracker.is_idle()) << i;
    tracker.feed_response(std::string_view(response).substr(i, 1));
  }
  EXPECT_TRUE(tracker.is_idle());
}

TEST(HttpTracker, TheEncodingCountsWhereALengthIsGivenToo) {
  EXPECT_TRUE(is_idle_after(
      "POST / HTTP/1.1\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
}

TEST(HttpTracker, AnswersToHeadAnd204And304HaveNoBody) {
  EXPECT_TRUE(
      is_idle_after("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
  EXPECT_TRUE(is_idle_after(kGet, "HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(is_idle_after(kGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"));
  EXPECT_FALSE(is_idle_after(kGet, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"));
}

TEST(HttpTracker, InterimAnswersAreNotTheAnswer) {
  HttpTracker tracker;
  feed_requests(tracker, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  tracker.feed_response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
  EXPECT_FALSE(tracker.is_idle());
  feed_requests(tracker, "x");
  EXPECT_FALSE(tracker.is_idle());
  tracker.feed_response(kOk);
  EXPECT_TRUE(tracker.is_idle());
  EXPECT_FALSE(tracker.is_opaque());
}

TEST(HttpTracker, AnEarlyAnswerLeavesItBusyUntilTheRequestIsSent) {
  HttpTracker tracker;
  feed_requests(tracker, "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
  tracker.feed_response(kOk);
  EXPECT_FALSE(tracker.is_idle());
  feed_requests(tracker, "cd");
  EXPECT_TRUE(tracker.is_idle());
}

TEST(HttpTracker, AnUpgradedConnectionIsOpaque) {
  HttpTracker tracker;
  feed_requests(tracker, "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  tracker.feed_response("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  EXPECT_TRUE(tracker.is_opaque());
  EXPECT_FALSE(tracker.is_idle());
}

TEST(HttpTracker, ARefusedUpgradeStaysHttp) {
  EXPECT_TRUE(is_idle_after("GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", kOk));
}

TEST(HttpTracker, AnAcceptedTunnelIsOpaqueARefusedOneIsNot) {
  HttpTracker accepted;
  feed_requests(accepted, "CONNECT a:443 HTTP/1.1\r\n\r\n");
  accepted.feed_response("HTTP/1.1 200 Connected\r\n\r\n");
  EXPECT_TRUE(accepted.is_opaque());
  EXPECT_TRUE(is_idle_after("CONNECT a:443 HTTP/1.1\r\n\r\n",
                            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
}

TEST(HttpTracker, AnAnswerThatEndsWithTheConnectionNeverEndsHere) {
  HttpTracker tracker;
  feed_requests(tracker, kGet);
  tracker.feed_response("HTTP/1.1 200 OK\r\n\r\nsome text");
  tracker.feed_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(tracker.is_idle());
  EXPECT_FALSE(tracker.is_opaque());
}

TEST(HttpTracker, KnowsWhetherTheConnectionIsKeptAfterTheAnswer) {
  const auto keeps_open = [](std::string_view request, std::string_view response) {
    HttpTracker tracker;
    feed_requests(tracker, request);
    tracker.feed_response(response);
    EXPECT_TRUE(tracker.is_idle());
    return tracker.keeps_open();
  };
  EXPECT_TRUE(keeps_open(kGet, kOk));
  EXPECT_FALSE(keeps_open("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", kOk));
  EXPECT_FALSE(
      keeps_open(kGet, "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(keeps_open("GET / HTTP/1.0\r\n\r\n", kOk));
  EXPECT_TRUE(keeps_open("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", kOk));
  EXPECT_FALSE(keeps_open(kGet, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
}

TEST(HttpTracker, ToleratesBareLineFeedsAndEmptyLinesBeforeARequest) {
  EXPECT_TRUE(
      is_idle_after("\r\n\nGET / HTTP/1.1\nHost: a\n\n", "HTTP/1.1 200\nContent-Length: 1\n\nx"));
}

TEST(HttpTracker, WhatIsNotHttpIsOpaque) {
  for (const std::string_view bytes :
       {std::string_view("\x16\x03\x01\x02", 4), std::string_view("PRI * HTTP/2.0\r\n\r\n"),
        std::string_view("PING\r\n"), std::string_view("\0\0\0\1", 4),
        std::string_view("GET /\r\n"), std::string_view("GET / HTTP/1.1\r\n folded: x\r\n"),
        std::string_view("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        std::string_view("GET / HTTP/1.1\r\nContent-Length: -1\r\n"),
        std::string_view("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"),
        std::string_view("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}) {
    HttpTracker tracker;
    EXPECT_EQ(tracker.feed_request(bytes), bytes.size());
    EXPECT_TRUE(tracker.is_opaque()) << bytes;
  }
}

TEST(HttpTracker, AServerThatSpeaksUnaskedMakesItOpaque) {
  HttpTracker greeting;
  greeting.feed_response("220 mail ready\r\n");
  EXPECT_TRUE(greeting.is_opaque());

  HttpTracker extra;
  feed_requests(extra, kGet);
  extra.feed_response(std::string(kOk) + "more");
  EXPECT_TRUE(extra.is_opaque());
}

TEST(HttpTracker, BoundsWhatItKeeps) {
  HttpTracker line;
  line.feed_request("GET /");
  const std::string text(HttpMessageReader::kMaxLine, 'a');
  line.feed_request(text);
  EXPECT_TRUE(line.is_opaque());

  HttpTracker head;
  head.feed_request("GET / HTTP/1.1\r\n");
  const std::string header = "X: " + std::string(1000, 'x') + "\r\n";
  for (size_t size = 0; size <= HttpMessageReader::kMaxHead; size += header.size()) {
    head.feed_request(header);
  }
  EXPECT_TRUE(head.is_opaque());

  HttpTracker pipelined;
  for (size_t i = 0; i <= HttpTracker::kMaxPipelined; ++i) {
    EXPECT_FALSE(pipelined.is_opaque());
    feed_requests(pipelined, kGet);
  }
  EXPECT_TRUE(pipelined.is_opaque());
}

// ---- any conversation, cut anywhere ----

struct Conversation {
  std::string requests;
  std::string responses;
  std::vector<size_t> request_ends;
  std::vector<size_t> response_ends;
};

std::string random_body(std::mt19937_64& random, bool is_chunked, std::string& headers) {
  const std::string body(random() % 40, random() % 2 == 0 ? '\n' : 'b');
  if (!is_chunked) {
    headers += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return body;
  }
  headers += "Transfer-Encoding: chunked\r\n";
  char size[16];
  std::snprintf(size, sizeof(size), "%zx", body.size());
  return (body.empty() ? "" : size + ("\r\n" + body + "\r\n")) + "0\r\n\r\n";
}

Conversation make_conversation(std::mt19937_64& random) {
  Conversation made;
  for (uint64_t left = 1 + random() % 6; left > 0; --left) {
    const bool is_head = random() % 4 == 0;
    std::string headers = "Host: example\r\n";
    std::string body;
    if (!is_head && random() % 2 == 0) body = random_body(random, random() % 2 == 0, headers);
    made.requests +=
        std::string(is_head ? "HEAD" : "POST") + " /a HTTP/1.1\r\n" + headers + "\r\n" + body;
    made.request_ends.push_back(made.requests.size());

    if (random() % 3 == 0) made.responses += "HTTP/1.1 100 Continue\r\n\r\n";
    headers = "Server: test\r\n";
    body = random_body(random, random() % 2 == 0, headers);
    made.responses += "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + (is_head ? "" : body);
    made.response_ends.push_back(made.responses.size());
  }
  return made;
}

TEST(HttpTracker, FindsTheSameEndsHoweverTheBytesAreCut) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    const Conversation made = make_conversation(random);
    HttpTracker tracker;
    std::vector<size_t> ends;
    for (size_t position = 0; position < made.requests.size();) {
      const size_t size = 1 + random() % (round % 2 == 0 ? 8 : 200);
      position += tracker.feed_request(std::string_view(made.requests).substr(position, size));
      if (tracker.is_between_requests()) ends.push_back(position);
    }
    ASSERT_EQ(ends, made.request_ends);
    for (size_t position = 0; position < made.responses.size();) {
      ASSERT_FALSE(tracker.is_idle());
      const size_t size = std::min<size_t>(1 + random() % 50, made.responses.size() - position);
      tracker.feed_response(std::string_view(made.responses).substr(position, size));
      position += size;
      ASSERT_FALSE(tracker.is_opaque());
      ASSERT_EQ(tracker.is_idle(), position == made.responses.size());
    }
  }
}

TEST(HttpTracker, NoiseNeverStallsIt) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  constexpr std::string_view kAlphabet = "GET /HTTP/1.1\r\n\r\n:0 chunkedcontent-length";
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    HttpTracker tracker;
    std::string bytes(random() % 2 == 0 ? kGet : "");
    while (bytes.size() < 200) bytes += kAlphabet[random() % kAlphabet.size()];
    for (size_t position = 0; position < bytes.size();) {
      const size_t taken = tracker.feed_request(std::string_view(bytes).substr(position));
      ASSERT_GT(taken, 0u);
      position += taken;
    }
    tracker.feed_response(bytes);
  }
}

}  // namespace
}  // namespace swarm::mesh
