// Numbers of JSON as ECMAScript has them (Number::toString, RFC 8785), on engines too that round halves away from even: XS
// reads 9007199254740993 as …994 and writes 1e23 as 9.999999999999999e+22.

/** Below this, in both directions, text of fewer characters than QUICK is read and written right by any engine. */
const WHOLE = 0x20_0000_0000_0000;
const QUICK = 16;

/** True for a number whose text needs no exact arithmetic: at most fifteen digits never come near the middle of two numbers. */
export function isQuick(text: string, value: number): boolean {
  return text.length < QUICK && value < WHOLE && value > -WHOLE;
}

/**
 * A number's text as canonical JSON has it: of the shortest that read back as the number, the closest.
 *
 * @param short in the shorter of the two ways ECMAScript has, instead
 */
export function numberText(value: number, short = false): string {
  const text = String(value);
  if (isQuick(text, value)) {
    const exponential = short ? value.toExponential() : text;
    return exponential.length < text.length ? exponential : text;
  }
  const [fraction, power] = binaryOf(value);
  // The number and all that read back as it, in quarters of its last bit: the one before a power of two is closer.
  const twos = power - 2;
  const scale = twos > 0 ? 1n << BigInt(twos) : 5n ** BigInt(-twos);
  const within = BigInt(fraction % 2);
  const middle = BigInt(fraction) * 4n * scale;
  let least = middle - (fraction === WHOLE / 2 && power > -1074 ? scale : 2n * scale) + within;
  let most = middle + 2n * scale - within;
  // A power of ten that is smaller than the distance between them has a multiple there; then larger ones are tried.
  let tens = Math.floor(twos > 0 ? twos * 0.30102 : twos * -0.69897);
  let unit = 10n ** BigInt(tens);
  least = (least + unit - 1n) / unit;
  most /= unit;
  for (;;) {
    const above = (least + 9n) / 10n;
    const below = most / 10n;
    if (below < above) break;
    least = above;
    most = below;
    tens++;
  }
  unit = 10n ** BigInt(tens);
  let nearest = middle / unit;
  // Its last digit is rounded, halves to even, without leaving those.
  const over = 2n * (middle - nearest * unit) - unit;
  if (nearest < least || over > 0n || (over >= 0n && (nearest & 1n) > 0n)) nearest += 1n;
  if (nearest > most) nearest = most;
  const digits = nearest.toString();
  const { length } = digits;
  const point = length + tens + Math.min(twos, 0);
  const tail = `${length > 1 ? `.${digits.slice(1)}` : ''}e${point > 0 ? '+' : ''}${point - 1}`;
  const exponential = digits.slice(0, 1) + tail;
  const sign = value < 0 ? '-' : '';
  if (point > 21 || point < -5) return sign + exponential;
  const plain =
    point > 0
      ? digits.slice(0, point).padEnd(point, '0') + (point < length ? `.${digits.slice(point)}` : '')
      : `0.${'0'.repeat(-point)}${digits}`;
  return sign + (short && exponential.length < plain.length ? exponential : plain);
}

/** The number that decimal text is: the closest double, of two the even one. Infinity where there is none. */
export function numberFrom(text: string): number {
  const value = Number(text);
  if (isQuick(text, value)) return value;
  const [fraction, power] = binaryOf(value);
  // Halfway between two, an engine that does not round to even takes the odd one. There is nothing else it does wrong.
  if (fraction % 2 === 0) return value;
  const [mantissa, exponent] = text.toLowerCase().split('e') as [string, string?];
  const [whole, rest = ''] = mantissa.split('.') as [string, string?];
  const tens = Number(exponent ?? 0) - rest.length;
  const digits = BigInt(whole.replace('-', '') + rest);
  const middle = BigInt(fraction) * 2n - 1n;
  // Both without powers of two, which are compared last.
  const left = tens > 0 ? digits * 5n ** BigInt(tens) : digits;
  const right = tens < 0 ? middle * 5n ** BigInt(-tens) : middle;
  const twos = tens - power + 1;
  const difference = twos > 0 ? (left << BigInt(twos)) - right : left - (right << BigInt(-twos));
  return difference <= 0n && difference >= 0n ? value - value / fraction : value;
}

/** A double's magnitude: fraction and power, for fraction × 2 ** power. */
function binaryOf(value: number): readonly [fraction: number, power: number] {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const high = bits.getUint32(0) & 0x7fff_ffff;
  const exponent = high >> 20;
  const fraction = (high & 0xf_ffff) * 0x1_0000_0000 + bits.getUint32(4) + (exponent > 0 ? WHOLE / 2 : 0);
  return [fraction, Math.max(exponent, 1) - 1075];
}
