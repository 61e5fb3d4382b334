// usage: node encode.mjs TOKENIZER.json
// Each line on standard input is a JSON string; each line on standard output is what the reference makes of it:
// {"ids": [...], "offsets": [[start, end], ... in code points], "special": [... with the template's tokens],
// "decoded": "... of ids, special tokens kept"}.
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import tokenizers from '@anush008/tokenizers';

const tokenizer = tokenizers.Tokenizer.fromFile(process.argv[2]);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const text = JSON.parse(line);
  const encoding = await tokenizer.encode(text, null, { addSpecialTokens: false });
  const [ids, offsets] = [encoding.getIds(), encoding.getOffsets()];
  const special = (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
  const decoded = await tokenizer.decode(ids, false);
  if (!process.stdout.write(JSON.stringify({ ids, offsets, special, decoded }) + '\n')) await once(process.stdout, 'drain');
}
