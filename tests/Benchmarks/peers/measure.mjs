// Measures one peer, as EGPUFLEET_BENCH_TASK says: {"peer":"bullmq","port":6379,...}. What it does now goes to the output
// as {"now": text}, the figures as {"figures": {...}} on the last line. It is the load process; worker.mjs does the work.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nowMicros, sleep } from "./clock.mjs";
import { payload } from "./payloads.mjs";

const options = JSON.parse(process.env.EGPUFLEET_BENCH_TASK);
const { peer, seconds, warmupSeconds, settleSeconds, settleJobs, only } = options;
const { open, empty } = await import(`./${peer}.mjs`);
const figures = {};

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const wants = (figure) => only.length === 0 || only.includes(figure);
const percentile = (sorted, share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];

/** Each of `clients` submits again as soon as its submit is acknowledged; counted after the warm-up. */
async function submitFor(clients, jobsPerCall, warmup = warmupSeconds) {
  const queue = await open(options, clients);
  const from = performance.now() + warmup * 1000;
  const until = from + seconds * 1000;
  const took = [];
  let sequence = 0;
  const client = async () => {
    for (let start = performance.now(); start < until; start = performance.now()) {
      if (jobsPerCall === 1) await queue.submit(payload(sequence++));
      else await queue.submitMany(Array.from({ length: jobsPerCall }, () => payload(sequence++)));
      const end = performance.now();
      if (end >= from && end < until) took.push(end - start);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await queue.close();
  took.sort((a, b) => a - b);
  return { rate: (took.length * jobsPerCall) / seconds, p50: percentile(took, 0.5) };
}

async function startWorker(settings) {
  const child = fork(fileURLToPath(new URL("worker.mjs", import.meta.url)), [JSON.stringify(settings)]);
  child.once("exit", (code) => {
    if (code) {
      console.error(`the worker of ${peer} ended with status ${code}`);
      process.exit(1);
    }
  });
  await message(child, (said) => said.ready);
  return child;
}

function message(child, matches) {
  return new Promise((resolve) => {
    const listen = (said) => {
      if (!matches(said)) return;
      child.off("message", listen);
      resolve(said);
    };
    child.on("message", listen);
  });
}

async function stopWorker(child) {
  child.send({ stop: true });
  await once(child, "exit");
}

/** One job at a time: from just before its submit is sent until the worker process has started it. */
async function dispatchLatency(samples) {
  const child = await startWorker({ fast: false, expect: 0 });
  const queue = await open(options, 1);
  const took = [];
  const settle = Math.min(300, settleJobs);
  for (let sequence = 0; sequence < settle + samples; sequence++) {
    const started = message(child, (said) => said.started === sequence);
    const done = message(child, (said) => said.done === sequence);
    const sent = nowMicros();
    await queue.submit(payload(sequence));
    const { at } = await started;
    await done;
    if (sequence < settle) continue;
    took.push((at - sent) / 1000);
    await sleep(options.pauseMilliseconds);
  }
  await queue.close();
  await stopWorker(child);
  return took.sort((a, b) => a - b);
}

/** 16 clients submit while the worker works; from the first submit to the end of the last job, of a worker that is warm. */
async function endToEnd(jobs) {
  const child = await startWorker({ fast: true, expect: settleJobs });
  const queue = await open(options, 16);
  let sequence = 0;
  const run = async (count) => {
    const finished = message(child, (said) => said.ends);
    const start = nowMicros();
    const last = sequence + count;
    const client = async () => {
      while (sequence < last) await queue.submit(payload(sequence++));
    };
    await Promise.all(Array.from({ length: 16 }, client));
    const { ends } = await finished;
    return count / ((ends[ends.length - 1] - start) / 1e6);
  };
  await run(settleJobs);
  const again = message(child, (said) => said.ready);
  child.send({ expect: jobs });
  await again;
  const rate = await run(jobs);
  await queue.close();
  await stopWorker(child);
  return rate;
}

/** A backlog is there before the worker starts; from the start of its first job to the end of its last. */
async function drain(jobs) {
  const queue = await open(options, 4);
  for (let sequence = 0; sequence < jobs; sequence += 1000) {
    const count = Math.min(1000, jobs - sequence);
    await queue.submitMany(Array.from({ length: count }, (_, i) => payload(sequence + i)));
  }
  await queue.close();
  const child = await startWorker({ fast: true, expect: jobs });
  const { firstStart, ends } = await message(child, (said) => said.ends);
  await stopWorker(child);
  const rate = (count, from, to) => count / ((to - from) / 1e6);
  const tenth = Math.floor(jobs / 10);
  const last = ends[jobs - 1];
  return {
    all: rate(jobs, firstStart, last),
    first: rate(tenth, firstStart, ends[tenth - 1]),
    last: rate(tenth, ends[jobs - 1 - tenth], last),
  };
}

async function phase(figure, what, measure) {
  if (!wants(figure)) return;
  say({ now: what });
  await empty(options);
  await measure();
}

await phase("submit", "submit, 16 clients, to warm up", () => submitFor(16, 1, Math.max(0, settleSeconds - seconds)));
for (const clients of options.clients) {
  await phase("submit", `submit, ${clients} clients`, async () => {
    const { rate, p50 } = await submitFor(clients, 1);
    figures[`submit_${clients}`] = rate;
    if (clients === 16) figures.submit_16_p50_ms = p50;
  });
}
await phase("submit", "submit in bulk", async () => {
  figures.submit_bulk = (await submitFor(options.bulkClients, options.bulkJobs)).rate;
});
await phase("dispatch", "dispatch latency", async () => {
  const took = await dispatchLatency(options.latencySamples);
  figures.dispatch_p50_ms = percentile(took, 0.5);
  figures.dispatch_p99_ms = percentile(took, 0.99);
});
await phase("e2e", `${options.endToEndJobs} jobs end to end`, async () => {
  figures.e2e_jobs_s = await endToEnd(options.endToEndJobs);
});
await phase("drain", `drain of ${options.drainJobs}`, async () => {
  const rates = await drain(options.drainJobs);
  figures.drain_jobs_s = rates.all;
  figures.drain_first_tenth_jobs_s = rates.first;
  figures.drain_last_tenth_jobs_s = rates.last;
});
await empty(options);
say({ figures });
process.exit(0);
