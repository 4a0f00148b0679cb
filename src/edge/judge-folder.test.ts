import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaId } from "../core/ids.ts";
import type { Marker } from "./folder-marker.ts";
import type { FolderRecord } from "./folder-record.ts";
import { judgeFolder, type FolderEvidence, type FolderJudgement } from "./judge-folder.ts";

const MINE = "1111111111111111" as ReplicaId;
const OTHER = "2222222222222222" as ReplicaId;
const ROOT = 10n;
const DIRECTORY = 20n;

const RECORD: FolderRecord = { path: "/f", replicaId: MINE, device: "1", inode: "10" };
const ELSEWHERE: FolderRecord = { ...RECORD, path: "/old" };
const MARKER: Marker = { replicaId: MINE, directoryInode: "20", rootInode: "10", createdAt: "" };
/** What `cp -r` leaves: the same marker in other directories. */
const COPIED = { ...MARKER, directoryInode: "21", rootInode: "11" };
/** `.dsync` was moved into another directory. */
const TRANSPLANTED = { ...MARKER, rootInode: "11" };

const HERE: FolderEvidence = {
  record: RECORD,
  marker: MARKER,
  rootInode: ROOT,
  directoryInode: DIRECTORY,
  elsewhere: [],
};

const CASES: readonly (readonly [what: string, evidence: Partial<FolderEvidence>, judgement: FolderJudgement])[] = [
  ["an empty folder", { record: undefined, marker: undefined, directoryInode: undefined }, { kind: "new" }],
  ["an interrupted first start", { record: undefined, marker: undefined }, { kind: "new" }],
  ["the same folder again", {}, { kind: "known", replicaId: MINE }],
  [
    "its disk is not mounted",
    { marker: undefined, directoryInode: undefined },
    { kind: "changed", reason: "marker-missing" },
  ],
  ["its marker was removed", { marker: undefined }, { kind: "changed", reason: "marker-missing" }],
  [
    "another disk is mounted",
    { marker: { ...MARKER, replicaId: OTHER } },
    { kind: "changed", reason: "other-replica" },
  ],
  ["another, and copied", { marker: { ...COPIED, replicaId: OTHER } }, { kind: "changed", reason: "other-replica" }],
  ["a copy at a new path", { record: undefined, marker: COPIED }, { kind: "copied", of: MINE }],
  [
    "a copy while the original is known",
    { record: undefined, marker: COPIED, elsewhere: [ELSEWHERE] },
    { kind: "copied", of: MINE },
  ],
  ["a backup brought back to its path", { marker: COPIED }, { kind: "copied", of: MINE }],
  ["renamed", { record: undefined, elsewhere: [ELSEWHERE] }, { kind: "moved", replicaId: MINE, obsolete: [ELSEWHERE] }],
  ["a disk from another machine", { record: undefined }, { kind: "moved", replicaId: MINE, obsolete: [] }],
  ["only `.dsync` was put back", { marker: TRANSPLANTED }, { kind: "changed", reason: "other-directory" }],
  ["the same, forgotten", { record: undefined, marker: TRANSPLANTED }, { kind: "new" }],
];

for (const [what, evidence, judgement] of CASES) {
  test(what, () => {
    assert.deepEqual(judgeFolder({ ...HERE, ...evidence }), judgement);
  });
}
