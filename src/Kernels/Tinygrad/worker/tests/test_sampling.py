"""Sampling equals the C# rule: published numbers, cases worked by hand, and a literal transcription as the judge."""

from __future__ import annotations

import math
import unittest

import numpy as np

from egpufleet_tinygrad.errors import EngineError
from egpufleet_tinygrad.random_numbers import next_double
from egpufleet_tinygrad.sampling import SamplingOptions, arg_max, log_probabilities, sample

_MASK = (1 << 64) - 1
_SPLIT_MIX_OF_ZERO = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4)
"""The first two outputs of SplitMix64 seeded with 0, as its authors publish them."""


class RandomTests(unittest.TestCase):
    def test_a_number_is_split_mix_of_split_mix(self) -> None:
        first = _split_mix(0)
        self.assertEqual(_SPLIT_MIX_OF_ZERO[0], first)
        self.assertEqual(_SPLIT_MIX_OF_ZERO[1], _split_mix(0x9E3779B97F4A7C15))
        self.assertEqual((_split_mix(first) >> 11) / 2**53, next_double(0, 0))
        self.assertEqual((_split_mix((first + 3 * 0x9E3779B97F4A7C15) & _MASK) >> 11) / 2**53, next_double(0, 3))

    def test_seeds_wrap_and_numbers_stay_below_one(self) -> None:
        for seed in (0, 1, _MASK):
            numbers = [next_double(seed, index) for index in range(1000)]
            self.assertEqual(1000, len(set(numbers)))
            self.assertTrue(all(0 <= number < 1 for number in numbers))
            self.assertAlmostEqual(0.5, sum(numbers) / 1000, delta=0.05)


class SamplingTests(unittest.TestCase):
    def test_temperature_0_takes_the_lowest_id_of_the_most_likely(self) -> None:
        self.assertEqual(1, sample(_f32([1, 3, -2, 3, 3]), SamplingOptions(), 0))
        self.assertEqual(2, arg_max(_f32([math.nan, -1, 0.5, math.nan])))

    def test_a_draw_falls_where_the_running_sum_passes_it(self) -> None:
        logits = _f32([0, math.log(2), math.log(5)])
        for index in range(200):
            point = next_double(42, index)
            by_hand = 0 if point < 1 / 8 else 1 if point < 3 / 8 else 2
            self.assertEqual(by_hand, sample(logits, SamplingOptions(temperature=1.0, seed=42), index))

    def test_top_k_and_top_p_order_by_weight_then_id(self) -> None:
        logits = _f32([0, math.log(2), math.log(5), math.log(2)])
        for index in range(100):
            point = next_double(7, index)
            top_2 = SamplingOptions(temperature=1.0, top_k=2, seed=7)
            self.assertEqual(2 if point < 5 / 7 else 1, sample(logits, top_2, index))
            # 5 of 10 do not reach 0.65, 7 do: the second of two equals, id 3, is never drawn.
            nucleus = SamplingOptions(temperature=1.0, top_p=0.65, seed=7)
            self.assertEqual(2 if point < 5 / 7 else 1, sample(logits, nucleus, index))

    def test_every_draw_is_that_of_the_transcribed_rule(self) -> None:
        random = np.random.default_rng(11)
        for case in range(400):
            logits = random.uniform(-8, 8, random.integers(2, 60)).astype(np.float32).round(int(random.integers(0, 4)))
            options = SamplingOptions(
                float(random.uniform(0.1, 2)),
                float(random.choice([1.0, random.uniform(0.01, 1)])),
                int(random.integers(0, 70)),
                int(random.integers(0, 2**63)),
            )
            with self.subTest(case=case, options=options):
                self.assertEqual(_transcribed(logits, options, case), sample(logits, options, case))

    def test_no_finite_logits_are_an_error(self) -> None:
        for logit in (math.nan, -math.inf, math.inf):
            with self.assertRaises(EngineError) as caught:
                sample(_f32([logit, logit]), SamplingOptions(temperature=1.0), 0)
            self.assertEqual("internal", caught.exception.error_class)

    def test_log_probabilities_sum_to_one(self) -> None:
        logits = _f32([3, -1, 200, 198])
        self.assertAlmostEqual(1, sum(math.exp(log_probabilities(logits, token, 0)["log_prob"]) for token in range(4)))


def _f32(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)


def _split_mix(state: int) -> int:
    value = (state + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _transcribed(logits: np.ndarray, options: SamplingOptions, index: int) -> int:
    """TokenSampler.cs line by line, with lists of [token, weight]."""
    highest = float(max(logits))
    chosen = [[token, float(logit)] for token, logit in enumerate(logits)]
    if 0 < options.top_k < len(logits):
        chosen = sorted(chosen, key=lambda item: (-item[1], item[0]))[: options.top_k]
    total = 0.0
    for item in chosen:
        item[1] = math.exp((item[1] - highest) / options.temperature)
        total += item[1]
    if options.top_p < 1:
        wanted, threshold = total * options.top_p, 1e-2
        while True:
            over, gathered = 0, 0.0
            for place, item in enumerate(chosen):
                if item[1] >= threshold:
                    gathered += item[1]
                    chosen[over], chosen[place] = chosen[place], chosen[over]
                    over += 1
            if gathered >= wanted or over == len(chosen) or threshold == 0:
                break
            threshold *= 1e-2
        chosen = sorted(chosen[:over], key=lambda item: (-item[1], item[0]))
        count, total = 0, 0.0
        while count < len(chosen) and (count == 0 or total < wanted):
            total += chosen[count][1]
            count += 1
        chosen = chosen[:count]
    point, last, gathered = total * next_double(options.seed, index), chosen[0][0], 0.0
    for token, weight in chosen:
        if weight <= 0:
            continue
        last = token
        gathered += weight
        if point < gathered:
            break
    return last


if __name__ == "__main__":
    unittest.main()
