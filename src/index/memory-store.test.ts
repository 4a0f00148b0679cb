import { MemoryTables } from "./memory-tables.ts";
import { createMemoryStore } from "./memory-store.ts";
import { hash, replicaId, storeContract } from "./store-contract.ts";

storeContract("memory store", () => {
  const tables = new MemoryTables();
  const open = () => Promise.resolve({ tables, store: createMemoryStore({ replicaId: replicaId(1), hash, tables }) });
  return Promise.resolve({ open, dispose: () => Promise.resolve() });
});
