import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

const name = "noop";

/** One connection pipelines the calls of all clients, as its users run it. */
export async function open({ port }) {
  const connection = new Redis({ port, maxRetriesPerRequest: null });
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  return {
    submit: (body) => queue.add(name, body),
    submitMany: (bodies) => queue.addBulk(bodies.map((data) => ({ name, data }))),
    async close() {
      await queue.close();
      await connection.quit();
    },
  };
}

export async function empty({ port }) {
  const connection = new Redis({ port });
  await connection.flushall();
  await connection.quit();
}

/** The working side, 64 at once; finished jobs are kept, as is its default and as ours are. */
export async function work({ port }, onStart, onDone) {
  const connection = new Redis({ port, maxRetriesPerRequest: null });
  const worker = new Worker(name, async (job) => onStart(job.data.sequence), { connection, concurrency: 64 });
  worker.on("completed", (job) => onDone(job.data.sequence));
  worker.on("failed", (_, error) => console.error(error));
  await worker.waitUntilReady();
  return async () => {
    await worker.close();
    await connection.quit();
  };
}
