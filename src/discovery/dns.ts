// The few DNS records, and the messages made of them, that discovery sends and receives (RFC 1035, RFC 6762).
// Plain values: the bytes are the mDNS package's business.

interface RecordOf<Type extends string, Data> {
  readonly type: Type;
  readonly name: string;
  /** Seconds; 0 takes the record back. */
  readonly ttl: number;
  /** True: replaces every older record of this name and type (RFC 6762 §10.2). */
  readonly flush: boolean;
  readonly data: Data;
}

export type DnsRecord =
  | RecordOf<"PTR", string>
  | RecordOf<"SRV", { readonly port: number; readonly target: string }>
  | RecordOf<"TXT", readonly string[]>
  | RecordOf<"A" | "AAAA", string>;

const questionTypes = ["PTR", "SRV", "TXT", "A", "AAAA", "ANY"] as const;

export interface DnsQuestion {
  readonly name: string;
  readonly type: (typeof questionTypes)[number];
}

/** What goes out. `id` is 0 except in an answer to a one-shot query, which also repeats the question. */
export interface OutgoingMessage {
  readonly type: "query" | "response";
  readonly id: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
}

/** What came in: decoded, and otherwise not to be trusted in anything. */
export interface IncomingMessage {
  readonly type: "query" | "response";
  readonly id: number;
  readonly questions: readonly unknown[];
  readonly answers: readonly unknown[];
  readonly additionals: readonly unknown[];
}

/** Returns the checked question, or `undefined` if it is not one, or of a type that discovery has nothing for. */
export function parseQuestion(value: unknown): DnsQuestion | undefined {
  const name = fieldOf(value, "name");
  const type = questionTypes.find((known) => known === fieldOf(value, "type"));
  return typeof name === "string" && type !== undefined ? { name, type } : undefined;
}

/** DNS names are compared without regard to ASCII case, and with or without the final dot. */
export function sameName(left: string, right: string): boolean {
  return normalizeName(left) === normalizeName(right);
}

export function normalizeName(name: string): string {
  const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** A field of a value that may be anything. */
export function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const field: unknown = Reflect.get(value, key);
  return field;
}
