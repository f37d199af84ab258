// Run-length masks -> SVG paths. Pure functions, shared by the gallery and its tests.
// runs: flat [start, length, start, length, ...] over a grid of h rows and w columns, row by row.
const decode = (runs, h, w) => {
  const bits = new Uint8Array(h * w);
  for (let k = 0; k + 1 < runs.length; k += 2) bits.fill(1, runs[k], runs[k] + runs[k + 1]);
  return bits;
};

// Boundary of the set pixels as closed rings along pixel edges, holes included. Closed rings, not loose
// segments, so that a dash pattern runs on round the corner.
const outline = (bits, h, w) => {
  const at = (y, x) => y >= 0 && x >= 0 && y < h && x < w && bits[y * w + x];
  const stride = w + 1, next = new Map();
  const edge = (from, to) => { const list = next.get(from); if (list) list.push(to); else next.set(from, [to]); };
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    if (!bits[y * w + x]) continue;                         // clockwise: the inside lies on the right
    const a = y * stride + x;
    if (!at(y - 1, x)) edge(a, a + 1);
    if (!at(y, x + 1)) edge(a + 1, a + 1 + stride);
    if (!at(y + 1, x)) edge(a + 1 + stride, a + stride);
    if (!at(y, x - 1)) edge(a + stride, a);
  }
  let path = '';
  for (const start of next.keys()) {
    while (next.get(start)?.length) {
      let here = next.get(start).pop(), step = here - start;
      path += `M${start % stride} ${Math.floor(start / stride)}`;
      while (here !== start) {
        const options = next.get(here);
        const to = options.length > 1 ? options.splice(options.indexOf(turn(options, here, step)), 1)[0] : options.pop();
        if (to - here !== step) path += `L${here % stride} ${Math.floor(here / stride)}`;
        step = to - here; here = to;
      }
      path += 'Z';
    }
  }
  return path;
};
// Where two pixels touch at a corner, keep to the pixel being followed (4-connected): turn right.
const turn = (options, here, step) => {
  const right = step === 1 ? 1 : step === -1 ? -1 : 0;      // moving along x: right is +-stride, else -+1
  const wanted = options.find(to => right ? Math.sign(to - here) === right && Math.abs(to - here) > 1
                                          : Math.sign(to - here) === -Math.sign(step) && Math.abs(to - here) === 1);
  return wanted ?? options[0];
};

// Set pixels as filled rectangles, one per run: the areas of the agreement view.
const area = (bits, h, w) => {
  let path = '';
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    if (!bits[y * w + x]) continue;
    const from = x; while (x < w && bits[y * w + x]) x++;
    path += `M${from} ${y}h${x - from}v1h${from - x}z`;
  }
  return path;
};

const split = (mask, truth) => {
  const hit = new Uint8Array(mask.length), missed = new Uint8Array(mask.length), extra = new Uint8Array(mask.length);
  for (let k = 0; k < mask.length; k++) {
    hit[k] = mask[k] & truth[k]; missed[k] = truth[k] & ~mask[k] & 1; extra[k] = mask[k] & ~truth[k] & 1;
  }
  return { hit, missed, extra };
};
const count = bits => bits.reduce((sum, bit) => sum + bit, 0);
