using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Sampling;

namespace EgpuFleet.Kernels.LlamaCpp.Decoding;

/// <summary>
/// Continuous batching: one thread that, step by step, lets waiting sequences into free slots, decodes one token of every
/// running slot in one call, then computes prompts in chunks. Sequences join and leave between steps.
/// <para>
/// Prompts and running slots are in separate calls of one step. Streams of their own in the KV cache make llama.cpp split a
/// mixed batch there anyway, and so a token is computed in the same way whoever else is running.
/// </para>
/// </summary>
internal sealed class DecodeLoop : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<Sequence> interactive = new();
    private readonly Queue<Sequence> batch = new();
    private readonly AutoResetEvent wake = new(false);
    private readonly LlamaContext context;
    private readonly TokenSampler sampler;
    private readonly Sequence?[] slots;
    private readonly List<Sequence> prefilling = [];
    private readonly Thread thread;
    private volatile bool stopping;
    private bool disposed;
    private long promptTokens;
    private long completionTokens;
    private long decodeCalls;
    private int busySlots;

    public DecodeLoop(LlamaContext context, TokenSampler sampler, int slotCount)
    {
        this.context = context;
        this.sampler = sampler;
        slots = new Sequence?[slotCount];
        thread = new Thread(Run) { IsBackground = true, Name = "decode" };
        thread.Start();
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.QueueFull"/> or <see cref="EngineErrorClass.Cancelled"/>.</exception>
    public void Submit(Sequence sequence)
    {
        if (Enqueue(sequence) is { } refusal)
        {
            sequence.Fail(refusal);
            throw refusal;
        }
        Wake();
    }

    /// <summary>Takes it into its queue; null, or why not.</summary>
    private EngineException? Enqueue(Sequence sequence)
    {
        lock (gate)
        {
            if (stopping)
                return new EngineException(EngineErrorClass.Cancelled, "The model is being unloaded.");
            var waiting = interactive.Count + batch.Count;
            if (waiting >= Limits.WaitingRequests)
            {
                return new EngineException(
                    EngineErrorClass.QueueFull,
                    $"{waiting} requests wait already.",
                    waiting + 1,
                    Limits.WaitingRequests
                );
            }
            (sequence.Priority == GenerationPriority.Interactive ? interactive : batch).Enqueue(sequence);
            return null;
        }
    }

    /// <summary>Something outside has changed: a cancellation, or room in an output.</summary>
    public void Wake()
    {
        lock (gate)
        {
            if (!disposed)
                wake.Set();
        }
    }

    public ModelStats Stats(string contentHash)
    {
        int waiting;
        lock (gate)
            waiting = interactive.Count + batch.Count;
        return new ModelStats(
            contentHash,
            Volatile.Read(ref busySlots),
            waiting,
            Interlocked.Read(ref promptTokens),
            Interlocked.Read(ref completionTokens),
            Interlocked.Read(ref decodeCalls)
        );
    }

    /// <summary>Ends all sequences as cancelled and waits for the running call.</summary>
    public void Dispose()
    {
        lock (gate)
            stopping = true;
        Wake();
        thread.Join();
        lock (gate)
        {
            disposed = true;
            wake.Dispose();
        }
    }

    private void Run()
    {
        while (!stopping)
        {
            LeaveCancelled();
            Admit();
            var worked = DecodeRunning();
            worked |= Prefill();
            Volatile.Write(ref busySlots, slots.Count(slot => slot is not null));
            Interlocked.Exchange(ref decodeCalls, context.Calls);
            if (!worked)
                wake.WaitOne();
        }
        foreach (var sequence in slots.OfType<Sequence>().Concat(interactive).Concat(batch))
            sequence.Cancel();
    }

    private void LeaveCancelled()
    {
        foreach (var sequence in slots.OfType<Sequence>().Where(sequence => sequence.Cancelled))
        {
            sequence.Cancel();
            Leave(sequence);
        }
        lock (gate)
        {
            LeaveCancelled(interactive);
            LeaveCancelled(batch);
        }
    }

    private static void LeaveCancelled(Queue<Sequence> waiting)
    {
        for (var count = waiting.Count; count > 0; count--)
        {
            var sequence = waiting.Dequeue();
            if (sequence.Cancelled)
                sequence.Cancel();
            else
                waiting.Enqueue(sequence);
        }
    }

    private void Admit()
    {
        for (var slot = 0; slot < slots.Length; slot++)
        {
            if (slots[slot] is not null)
                continue;
            Sequence? next;
            lock (gate)
            {
                if (!interactive.TryDequeue(out next) && !batch.TryDequeue(out next))
                    return;
            }
            next.Slot = slot;
            slots[slot] = next;
            // Interactive prompts are computed before batch prompts, each in the order of arrival.
            var place =
                next.Priority == GenerationPriority.Interactive
                    ? prefilling.FindIndex(other => other.Priority == GenerationPriority.Batch)
                    : -1;
            prefilling.Insert(place < 0 ? prefilling.Count : place, next);
        }
    }

    /// <summary>One token of every running slot, in one call.</summary>
    private bool DecodeRunning()
    {
        var running = slots.OfType<Sequence>().Where(sequence => !sequence.Prefilling && sequence.HasRoom).ToArray();
        if (running.Length == 0)
            return false;
        context.Batch.Clear();
        var rows = new int[running.Length];
        var next = 0;
        var last = Math.Max(running[^1].Slot, running[0].Slot + context.LeastRows - 1);
        for (var slot = running[0].Slot; slot <= last; slot++)
        {
            if (next < running.Length && running[next].Slot == slot)
            {
                rows[next] = context.Batch.Count;
                context.Batch.Add(running[next].LastToken, running[next].Position, slot, logits: true);
                next++;
            }
            else
            {
                Fill(slot);
            }
        }
        if (!TryDecode(running))
            return true;
        for (var i = 0; i < running.Length; i++)
        {
            running[i].Position++;
            Accept(running[i], rows[i]);
        }
        return true;
    }

    /// <summary>A row for a slot between running ones, of which nothing remains.</summary>
    private void Fill(int slot)
    {
        var position = slot < slots.Length && slots[slot] is { } paused ? paused.Position : 0;
        if (position == 0 || context.CanRollBack)
            context.AddFiller(slot, position);
    }

    /// <summary>Prompts, each in chunks of its own, up to one full chunk in all.</summary>
    private bool Prefill()
    {
        var budget = LlamaContext.ChunkTokens;
        var worked = false;
        while (budget > 0 && prefilling.Count > 0)
        {
            var sequence = prefilling[0];
            var count = Math.Min(sequence.Prompt.Length - sequence.Position, LlamaContext.ChunkTokens);
            var last = sequence.Position + count == sequence.Prompt.Length;
            context.Batch.Clear();
            for (var i = 0; i < count; i++)
            {
                var position = sequence.Position + i;
                context.Batch.Add(sequence.Prompt[position], position, sequence.Slot, last && i == count - 1);
            }
            worked = true;
            if (!TryDecode([sequence]))
                continue;
            budget -= count;
            sequence.Position += count;
            Interlocked.Add(ref promptTokens, count);
            if (!last)
                continue;
            prefilling.RemoveAt(0);
            Accept(sequence, count - 1);
        }
        return worked;
    }

    private bool TryDecode(Sequence[] sequences)
    {
        try
        {
            context.Decode();
            return true;
        }
        catch (EngineException exception)
        {
            Fail(sequences, exception);
            return false;
        }
    }

    private void Accept(Sequence sequence, int logitsIndex)
    {
        try
        {
            var logits = context.Logits(logitsIndex);
            var token = sampler.Sample(logits, sequence);
            var logProbs = sequence.Options.TopLogProbs is { } top ? sampler.LogProbs(logits, token, top) : null;
            // First: who has read the last token finds it counted.
            Interlocked.Increment(ref completionTokens);
            sequence.Accept(token, logProbs);
        }
        catch (EngineException exception)
        {
            sequence.Fail(exception);
        }
        if (sequence.Finished)
            Leave(sequence);
    }

    private void Fail(Sequence[] sequences, EngineException exception)
    {
        foreach (var sequence in sequences)
        {
            sequence.Fail(exception);
            Leave(sequence);
        }
    }

    private void Leave(Sequence sequence)
    {
        context.Forget(sequence.Slot);
        slots[sequence.Slot] = null;
        prefilling.Remove(sequence);
    }
}
