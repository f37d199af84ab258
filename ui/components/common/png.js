// Texts inside a PNG, as its standard has them: chunks of type iTXt, in UTF-8. Goes before picture.js.
const CHECKS = Uint32Array.from({ length: 256 }, (_, check) => {
  for (let bit = 0; bit < 8; bit++) check = check & 1 ? 0xedb88320 ^ check >>> 1 : check >>> 1;
  return check;
});
const checksum = bytes => ~bytes.reduce((check, byte) => CHECKS[(check ^ byte) & 255] ^ check >>> 8, ~0) >>> 0;

/** A chunk: length, type, content, checksum of the last two. */
const pngChunk = (type, content) => {
  const made = new Uint8Array(12 + content.length), view = new DataView(made.buffer);
  view.setUint32(0, content.length);
  made.set(new TextEncoder().encode(type), 4);
  made.set(content, 8);
  view.setUint32(8 + content.length, checksum(made.subarray(4, 8 + content.length)));
  return made;
};

/** The same picture with texts behind its header.
    @param png a blob.
    @param texts by keyword, which is one of the standard's: Title, Description, Software, …
    @returns a blob. */
const inscribed = async (png, texts) => {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const head = 8 + 12 + new DataView(bytes.buffer).getUint32(8);  // signature, and the first chunk: the header
  // Behind the keyword: no compression (two bytes), no language, the keyword in no other one.
  const chunks = Object.entries(texts).map(([keyword, text]) =>
    pngChunk('iTXt', new TextEncoder().encode(`${keyword}\0\0\0\0\0${text.replaceAll('\0', '')}`)));
  return new Blob([bytes.subarray(0, head), ...chunks, bytes.subarray(head)], { type: 'image/png' });
};
