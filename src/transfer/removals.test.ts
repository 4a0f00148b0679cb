import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pathOf } from "../../test/support/replica-world.ts";
import { Removals } from "./removals.ts";

const depthOf = (path: string): number => path.split("/").length;

test("whatever was put in and not taken back comes out once, the deepest first", () => {
  const paths = fc
    .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
    .map((names) => names.join("/"));
  const steps = fc.array(fc.tuple(fc.boolean(), paths), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (changes, count) => {
      const removals = new Removals();
      const expected = new Set<string>();
      for (const [isAdded, path] of changes) {
        if (isAdded) removals.add(pathOf(path));
        else removals.delete(pathOf(path));
        if (isAdded) expected.add(path);
        else expected.delete(path);
        assert.equal(removals.size, expected.size);
      }
      const taken: string[] = [];
      while (removals.size > 0) {
        const some = removals.takeDeepest(count);
        assert.ok(some.length > 0 && some.length <= count);
        taken.push(...some);
      }
      assert.deepEqual(new Set(taken), expected);
      assert.equal(taken.length, expected.size);
      const depths = taken.map(depthOf);
      assert.deepEqual(
        depths,
        depths.toSorted((a, b) => b - a),
      );
    }),
  );
});
