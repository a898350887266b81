"""Proves section 2 of the style page on this tree, after proving that the checker sees what it must see."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
import rules  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Layering(unittest.TestCase):
    def test_this_tree_keeps_the_layers(self):
        breaches, seen = rules.check_tree(ROOT)
        self.assertGreater(seen, 20, "the tree was not found at " + ROOT)
        self.assertEqual(breaches, [], "\n" + "\n".join(breaches))

    def test_a_good_tree_passes(self):
        breaches, seen = rules.check_tree(os.path.join(HERE, "testdata", "good"))
        self.assertEqual(breaches, [])
        self.assertGreater(seen, 0)

    def test_every_breach_of_a_bad_tree_is_reported_and_nothing_else(self):
        with open(os.path.join(HERE, "testdata", "bad.expected"), encoding="utf-8") as handle:
            expected = handle.read().splitlines()
        breaches, _ = rules.check_tree(os.path.join(HERE, "testdata", "bad"))
        self.assertEqual(breaches, expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
