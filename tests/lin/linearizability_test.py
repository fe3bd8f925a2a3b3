#!/usr/bin/env python3
"""The checker accepts what one copy could have answered, and rejects every planted violation."""

import random
import time
import unittest

from linearizability import Call, Violation, check


def create(value, start, end=None, result=True):
    return known(Call("s", "create", value, start), end, result)


def write(value, start, end=None, result=True):
    return known(Call("s", "write", value, start), end, result)


def remove(start, end=None, result=True):
    return known(Call("s", "remove", None, start), end, result)


def read(result, start, end, version=0):
    call = known(Call("s", "read", None, start), end, result)
    call.version = version
    return call


def known(call, end, result):
    if end is not None:
        call.end, call.result = end, result
    return call


class Accepted(unittest.TestCase):
    def test_calls_one_after_the_other(self):
        check([create("a", 0, 1), read("a", 2, 3), write("b", 4, 5), read("b", 6, 7),
               remove(8, 9), read(None, 10, 11), write("c", 12, 13, False)])

    def test_a_read_beside_a_write_may_see_either(self):
        for value in ("a", "b"):
            check([create("a", 0, 1), write("b", 2, 5), read(value, 3, 4)])

    def test_an_unknown_write_may_be_seen_late_or_never(self):
        check([create("a", 0, 1), write("b", 2), read("a", 3, 4), read("b", 50, 51)])
        check([create("a", 0, 1), write("b", 2), read("a", 3, 4), read("a", 50, 51)])
        check([create("a", 0, 1), write("b", 2), write("c", 3, 4), read("c", 5, 6),
               read("b", 7, 8)])

    def test_an_unknown_create_and_remove(self):
        check([create("a", 0), read(None, 1, 2), read("a", 3, 4)])
        check([create("a", 0), create("b", 1, 2, False), read("a", 3, 4)])
        check([create("a", 0, 1), remove(2), read("a", 3, 4), read(None, 5, 6),
               create("b", 7, 8)])

    def test_versions_that_rise(self):
        check([create("a", 0, 1), read("a", 2, 3, version=7), read("a", 4, 5, version=9),
               write("b", 6, 7), read("b", 8, 9, version=10)])

    def test_services_are_independent(self):
        check([create("a", 0, 1), Call("t", "read", None, 2, 3, None)])


class Rejected(unittest.TestCase):
    def assert_rejected(self, *calls):
        with self.assertRaises(Violation) as caught:
            check(calls)
        self.assertIn("service s", str(caught.exception))

    def test_a_lost_write(self):
        self.assert_rejected(create("a", 0, 1), write("b", 2, 3), read("a", 4, 5))

    def test_a_lost_service(self):
        self.assert_rejected(create("a", 0, 1), read(None, 2, 3))

    def test_a_stale_read(self):
        self.assert_rejected(create("a", 0, 1), write("b", 2, 9), read("b", 3, 4), read("a", 5, 6))

    def test_a_value_from_nowhere(self):
        self.assert_rejected(create("a", 0, 1), read("z", 2, 3))

    def test_a_value_before_it_was_written(self):
        self.assert_rejected(create("a", 0, 1), read("b", 2, 3), write("b", 4, 5))

    def test_a_write_that_was_overwritten_and_returns(self):
        self.assert_rejected(create("a", 0, 1), write("b", 2), read("b", 3, 4), write("c", 5, 6),
                             read("b", 7, 8))

    def test_two_creations(self):
        self.assert_rejected(create("a", 0, 1), create("b", 2, 3))

    def test_a_refused_creation_of_what_is_not_there(self):
        self.assert_rejected(create("a", 0, 1, False))

    def test_a_removed_service_that_returns(self):
        self.assert_rejected(create("a", 0, 1), remove(2, 3), read("a", 4, 5))

    def test_a_version_that_goes_down(self):
        self.assert_rejected(create("a", 0, 1), read("a", 2, 3, version=9),
                             read("a", 4, 5, version=8))

    def test_a_write_that_leaves_the_version(self):
        self.assert_rejected(create("a", 0, 1), read("a", 2, 3, version=9), write("b", 4, 5),
                             read("b", 6, 7, version=9))

    def test_readers_that_disagree_on_the_order(self):
        self.assert_rejected(create("a", 0, 1), write("b", 2, 10), write("c", 2, 10),
                             read("b", 11, 12), read("c", 13, 14))


class Random(unittest.TestCase):
    """Histories of a true register with clients that overlap; one planted violation is found."""

    @staticmethod
    def history(chance, clients=6, length=150):
        calls, free = [create("v0", 0, 0.5)], [1.0] * clients
        points = []
        for number in range(length):
            client = min(range(clients), key=lambda c: free[c])
            start = free[client] + chance.random()
            effect = start + chance.random()
            end = effect + chance.random()
            free[client] = end
            kind = chance.choice(("read", "read", "write"))
            call = Call("s", kind, f"v{number + 1}" if kind == "write" else None, start, end, True,
                        client=str(client))
            if kind == "write" and chance.random() < 0.15:
                call.end, call.result = float("inf"), None
            points.append((effect, call))
            calls.append(call)
        value, version = "v0", 1
        for _, call in sorted(points, key=lambda point: point[0]):
            if call.kind == "read":
                call.result, call.version = value, version
            elif call.is_known or chance.random() < 0.5:
                value, version = call.value, version + 1
        return calls

    def test_true_histories_are_accepted_and_a_changed_one_is_not(self):
        chance, rejected, turns = random.Random(1), 0, 60
        start = time.process_time()
        for _ in range(turns):
            calls = self.history(chance)
            check(calls)
            reads = [call for call in calls if call.kind == "read"]
            victim = chance.choice(reads[len(reads) // 2:])
            victim.result, victim.version = reads[0].result, reads[0].version
            if victim.start > reads[0].end and any(
                    call.is_known and call.kind == "write" and reads[0].end < call.start and
                    call.end < victim.start for call in calls):
                with self.assertRaises(Violation):
                    check(calls)
                rejected += 1
        self.assertGreater(rejected, turns / 2)
        print(f"{2 * turns} histories in {time.process_time() - start:.1f} s of CPU")


if __name__ == "__main__":
    unittest.main()
