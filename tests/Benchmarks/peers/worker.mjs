// The worker process of a peer, forked by measure.mjs: tells of each start in a latency run, of the times of all ends
// in a throughput run.
import { nowMicros } from "./clock.mjs";

const { peer, connection, port } = JSON.parse(process.env.EGPUFLEET_BENCH_TASK);
const { fast, expect: first } = JSON.parse(process.argv[2]);
const { work } = await import(`./${peer}.mjs`);

let expect = first;
let ends = [];
let firstStart = 0;
const onStart = (sequence) => {
  if (!expect) process.send({ started: sequence, at: nowMicros() });
  else firstStart ||= nowMicros();
};
const onDone = (sequence) => {
  if (!expect) {
    process.send({ done: sequence });
    return;
  }
  ends.push(nowMicros());
  if (ends.length === expect) process.send({ firstStart, ends });
};

const stop = await work({ connection, port, fast }, onStart, onDone);
process.on("message", async (said) => {
  if (said.expect) {
    [expect, ends, firstStart] = [said.expect, [], 0];
    process.send({ ready: true });
    return;
  }
  await stop();
  process.exit(0);
});
process.on("disconnect", () => process.exit(0));
process.send({ ready: true });
