"""python3 -m unittest discover -s benches/peers: the arithmetic of the comparison and who is in it, without any package."""
import math
import types
import unittest
from unittest import mock

import bench
import curve
import environment
import measures
import systems
import tasks
from systems.base import System


def run(*points, memory=10.0, restarted=False):
    keys = ("epoch", "seconds", "loss", "second")
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

    def test_a_loss_that_most_rounds_miss_is_not_reached(self):
        self.assertEqual(measures.median_seconds_to([SLOW, SLOW, FAST], 0.29), math.inf)
        self.assertEqual(measures.median_seconds_to([SLOW, FAST, FAST], 0.29), 1.5)

    def test_of_two_rounds_the_second_metric_is_that_of_the_lower_loss(self):
        found = measures.summary([SLOW, FAST])
        self.assertEqual((found["best_loss"], found["second"], found["seconds_to_best"]), (0.29, 0.81, 1.5))

    def test_summary(self):
        found = measures.summary([SLOW, SLOW, FAST], target=0.4)
        self.assertEqual((found["epoch_seconds"], found["best_loss"], found["seconds_to_best"]), (3.0, 0.3, 7.0))
        self.assertEqual((found["seconds_to_target"], found["epochs"], found["second"]), (7.0, 3, 0.8))
        self.assertIsNone(measures.summary([SLOW], target=0.1)["seconds_to_target"], "never that low")

    def test_how_many_times_sooner_is_told_by_the_peers_best_loss(self):
        self.assertAlmostEqual(measures.times_sooner([[SLOW]], [FAST]), 7.0 / 1.5)
        self.assertEqual(measures.times_sooner([[FAST]], [SLOW]), 0, "ours does not reach it")
        self.assertAlmostEqual(measures.times_sooner([[FAST]], [SLOW], slack=0.1), 1.5 / 7.0)
        self.assertIsNone(measures.times_sooner([[run((1, 1.0, None, None))]], [FAST]), "a loss that says nothing")

    def test_a_peer_counts_by_the_threads_on_which_it_is_soonest_at_its_best_loss(self):
        quick_epochs = run((1, 0.5, 0.5, None), (9, 4.5, 0.3, None))
        soon_there = run((1, 1.0, 0.4, None), (3, 3.0, 0.3, None))
        stuck = run((1, 0.1, 0.6, None))
        self.assertAlmostEqual(measures.times_sooner([[quick_epochs], [soon_there], [stuck]], [FAST]), 3.0 / 1.5)

    def test_the_best_setting_is_that_of_the_least_loss(self):
        self.assertIs(measures.chosen([SLOW, run(), FAST]), FAST)
        self.assertIsNone(measures.chosen([run()]))
        untold = run((1, 1.0, None, None))
        self.assertIs(measures.chosen([run(), untold]), untold)
        accurate = run((1, 1.0, None, 0.8), (2, 2.0, None, 0.7))
        self.assertIs(measures.chosen([run((1, 1.0, None, 0.75)), accurate]), accurate, "by the second metric where no run has a loss")
        self.assertEqual(measures.second_at_best(accurate["points"]), 0.8)


class Parts(unittest.TestCase):
    def test_held_out_users_are_drawn_whole(self):
        lines = [b"%d %d\n" % (user, item) for user in range(50) for item in (1, 2, 3)]
        kept = bench.of_users(lines, 8)
        self.assertEqual(len(kept), 24)
        self.assertEqual(len({line.split()[0] for line in kept}), 8)
        self.assertEqual(bench.of_users(lines, 100), lines)
        self.assertEqual(bench.of_users([b"7::8::1\n", b"7,9\n"], 1), [b"7::8::1\n", b"7,9\n"])


class Failures(unittest.TestCase):
    def measured(self, fails):
        """The result for two systems of which `fails(name, action, threads)` tells what does not work."""

        def call(system, task, threads):
            if fails(system.name, task["action"], threads):
                raise RuntimeError("broken")
            return {"runs": [{**SLOW, "setting": {}}], "bytes": 1, "seconds": 1.0, **SLOW}

        installed = {System(name, "rows", [{}], None, threaded=True, load=print): "1" for name in ("A", "B")}
        shape = {"rows": 2, "nonzeros": 4, "columns": 3}
        dataset = types.SimpleNamespace(name="data", task="rows", folder=environment.HERE, shape=shape, describe=lambda: "")
        options = types.SimpleNamespace(epochs=3, threads=[1, 2], rounds=2, budget=1, rank=8, target=None, hogwild="hogwild")
        with mock.patch("bench.tell"):
            return bench.Measurement(dataset, installed, {}, types.SimpleNamespace(call=call), options).result()

    def test_a_system_that_is_in_the_tables_has_remarks_and_is_not_called_missing(self):
        result = self.measured(lambda name, action, threads: name == "A" and (action, threads) in (("load", 2), ("train", 1)))
        self.assertEqual([(entry["system"], entry["threads"]) for entry in result["entries"]], [("A", 2), ("B", 1), ("B", 2)])
        self.assertEqual(result["remarks"], ["A: reading of text: broken", "A: round 1 of 2, threads 1: broken"])
        self.assertEqual(result["missing"], {})

    def test_a_system_without_any_run_is_missing(self):
        result = self.measured(lambda name, action, threads: name == "A" and action == "train")
        self.assertEqual([entry["system"] for entry in result["entries"]], ["B", "B"])
        self.assertEqual((result["remarks"], result["missing"]), ([], {"A": "round 1 of 2, threads 1: broken"}))


class Systems(unittest.TestCase):
    def test_no_setting_of_hogwild_asks_for_more_epochs_than_asked_for(self):
        data = types.SimpleNamespace(task="ratings", rank=8)
        for asked, given in ((3, 3), (20, 6)):
            flags = systems.hogwild.flags(data, {"lr": 0.1, "epochs": 6}, 2, asked, "log")
            self.assertEqual(flags[flags.index("--epochs") + 1], str(given))

    def test_names_are_unique_and_each_has_settings_to_choose_from(self):
        names = [(system.name, system.task) for system in systems.ALL]
        self.assertEqual(len(names), len(set(names)))
        for system in systems.ALL:
            by_time_alone = (system.name, system.task) in [(name, "ratings") for name in ("implicit ALS", "implicit BPR", "LightFM")]
            as_it_comes = system.name == "hogwild auto" or (not system.package and system.task == "interactions")
            self.assertGreaterEqual(len(system.settings), 1 if by_time_alone or as_it_comes else 4, system.name)

    def test_each_task_is_known_has_metrics_and_a_line_of_hogwild(self):
        self.assertEqual(set(curve.METRICS), set(tasks.TASKS))
        names = {(system.name, system.task) for system in systems.ALL}
        for task in tasks.TASKS:
            self.assertIn(("hogwild", task), names)
        for system in systems.ALL:
            self.assertIn((system.beside, system.task), names, system.name)

    def test_each_package_has_a_pinned_version(self):
        pinned = environment.pinned()
        for system in systems.ALL:
            if system.package:
                self.assertIn(system.package, pinned)


if __name__ == "__main__":
    unittest.main()
