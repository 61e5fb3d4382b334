// usage: node measure.mjs TOKENIZER.json
// The first line on standard input is a JSON array of texts. Each line after it is a round, answered with a JSON object:
//   fresh   a new tokenizer encodes every text       again   the tokenizer of the last round encodes every text
//   batch   the same in one encodeBatch call
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import tokenizers from '@anush008/tokenizers';

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })[Symbol.asyncIterator]();
const texts = JSON.parse((await lines.next()).value);
const options = { addSpecialTokens: true };
let tokenizer = null;

async function oneByOne() {
  const all = [];
  for (const text of texts) all.push((await tokenizer.encode(text, null, options)).getIds());
  return all;
}

for await (const round of lines) {
  if (round === 'fresh') tokenizer = tokenizers.Tokenizer.fromFile(process.argv[2]);
  const start = process.hrtime.bigint();
  const all = round === 'batch' ? (await tokenizer.encodeBatch(texts, options)).map((encoding) => encoding.getIds()) : await oneByOne();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  let tokens = 0;
  let checksum = 0;
  for (const ids of all) for (const id of ids) [tokens, checksum] = [tokens + 1, (Math.imul(checksum, 31) + id) | 0];
  const version = JSON.parse(readFileSync(new URL('./package.json', import.meta.url))).dependencies['@anush008/tokenizers'];
  process.stdout.write(JSON.stringify({ seconds, tokens, checksum, versions: `Node ${process.version}, @anush008/tokenizers ${version}` }) + '\n');
}
