/** The longest `baggage` header, in bytes (W3C Baggage, 3.3.2). */
const MAX_BYTES = 8192;
const MAX_MEMBERS = 64;

/** A member: a token, its value, and properties after it (W3C Baggage, 3.3). */
const MEMBER =
  /^\s*[!#$%&'*+\-.^_`|~\w]+\s*=\s*[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\s*(?:;[^,;]*)*$/;

/** Says what is wrong with a `baggage` header. Undefined if it is valid. */
export function findBaggageProblem(header: string): string | undefined {
  if (Buffer.byteLength(header) > MAX_BYTES) return `more than ${MAX_BYTES} bytes`;
  const members = header.split(',');
  if (members.length > MAX_MEMBERS) return `more than ${MAX_MEMBERS} members`;
  const broken = members.findIndex((member) => !MEMBER.test(member));
  return broken === -1 ? undefined : `member ${broken + 1} is not of the form name=value`;
}
