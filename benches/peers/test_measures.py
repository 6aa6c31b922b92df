"""python3 -m unittest discover -s benches/peers: the arithmetic of the comparison, without any package."""
import math
import unittest

import measures
import environment
import systems


def run(*points, memory=10.0, restarted=False):
    keys = ("epoch", "seconds", "loss", "auc")
    return {"points": [dict(zip(keys, point)) for point in points], "memory_mb": memory, "cut": False, "restarted": restarted}


SLOW = run((1, 4.0, 0.5, 0.7), (2, 7.0, 0.3, 0.8), (3, 10.0, 0.4, 0.75))
FAST = run((1, 1.0, 0.4, 0.75), (2, 1.5, 0.29, 0.81))


class Measures(unittest.TestCase):
    def test_an_epoch_is_counted_without_what_comes_before_the_first(self):
        self.assertEqual(measures.seconds_an_epoch(SLOW), 3.0)
        self.assertEqual(measures.seconds_an_epoch(run((4, 2.0, None, None))), 0.5)
        self.assertEqual(measures.seconds_an_epoch(run((1, 3.0, None, None), (4, 2.0, None, None), restarted=True)), 0.5)

    def test_seconds_to_a_loss_are_those_of_the_first_point_below_it(self):
        self.assertEqual(measures.seconds_to(SLOW["points"], 0.4), 7.0)
        self.assertEqual(measures.seconds_to(SLOW["points"], 0.5), 4.0)
        self.assertEqual(measures.seconds_to(SLOW["points"], 0.1), math.inf)
        self.assertEqual(measures.seconds_to(run((1, 1.0, None, None))["points"], 0.1), math.inf)

    def test_medians_are_of_rounds_and_a_loss_that_most_rounds_miss_is_not_reached(self):
        self.assertEqual(measures.median([3, None, 1, 2]), 2)
        self.assertIsNone(measures.median([]))
        self.assertEqual(measures.median([1.0, math.inf, math.inf]), math.inf)

    def test_summary(self):
        found = measures.summary([SLOW, SLOW, FAST], target=0.4)
        self.assertEqual((found["epoch_seconds"], found["best_loss"], found["seconds_to_best"]), (3.0, 0.3, 7.0))
        self.assertEqual((found["seconds_to_target"], found["epochs"], found["auc"]), (7.0, 3, 0.8))
        self.assertIsNone(measures.summary([SLOW], target=0.1)["seconds_to_target"], "never that low")

    def test_how_many_times_sooner_is_told_by_the_peers_best_loss(self):
        self.assertAlmostEqual(measures.times_sooner([SLOW], [FAST]), 7.0 / 1.5)
        self.assertEqual(measures.times_sooner([FAST], [SLOW]), 0, "ours does not reach it")
        self.assertAlmostEqual(measures.times_sooner([FAST], [SLOW], slack=0.1), 1.5 / 7.0)
        self.assertIsNone(measures.times_sooner([run((1, 1.0, None, None))], [FAST]), "a loss that says nothing")

    def test_a_peer_counts_by_its_quickest_number_of_threads(self):
        entries = [{"threads": 1, "epoch_seconds": 2.0}, {"threads": 2, "epoch_seconds": 3.0}, {"threads": 4, "epoch_seconds": 1.0}]
        self.assertEqual([measures.quickest(entries, most)["threads"] for most in (1, 2, 4)], [1, 1, 4])
        self.assertIsNone(measures.quickest(entries, 0))

    def test_the_best_setting_is_that_of_the_least_loss(self):
        self.assertIs(measures.chosen([SLOW, run(), FAST]), FAST)
        self.assertIsNone(measures.chosen([run()]))
        untold = run((1, 1.0, None, None))
        self.assertIs(measures.chosen([run(), untold]), untold)


class Systems(unittest.TestCase):
    def test_names_are_unique_and_each_has_settings_to_choose_from(self):
        names = [(system.name, system.task) for system in systems.ALL]
        self.assertEqual(len(names), len(set(names)))
        for system in systems.ALL:
            measured_by_time_alone = system.name in ("implicit ALS", "implicit BPR", "LightFM", "hogwild auto")
            self.assertGreaterEqual(len(system.settings), 1 if measured_by_time_alone else 4, system.name)

    def test_each_package_has_a_pinned_version(self):
        pinned = environment.pinned()
        for system in systems.ALL:
            if system.package:
                self.assertIn(system.package, pinned)


if __name__ == "__main__":
    unittest.main()
