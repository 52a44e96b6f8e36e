using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>Weights in memory by content: a base model and all its adapters use the same ones, the last one frees them.</summary>
internal sealed class SharedWeights
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>Whether they are in memory now.</summary>
    public bool Has(string hash)
    {
        lock (gate)
            return entries.ContainsKey(hash);
    }

    /// <summary>Takes part in the weights of that content, loading them first where nobody has.</summary>
    /// <remarks>Others wait for a load: a worker loads one model at a time anyway.</remarks>
    public Lease Take(string hash, Func<LlamaModelHandle> load)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(hash, out var entry))
                entries.Add(hash, entry = new Entry(load()));
            entry.Uses++;
            return new Lease(this, hash, entry.Handle);
        }
    }

    private void Release(string hash)
    {
        lock (gate)
        {
            var entry = entries[hash];
            if (--entry.Uses > 0)
                return;
            entries.Remove(hash);
            entry.Handle.Dispose();
        }
    }

    private sealed class Entry(LlamaModelHandle handle)
    {
        public LlamaModelHandle Handle => handle;
        public int Uses { get; set; }
    }

    /// <summary>A part in the weights, given up when disposed.</summary>
    internal sealed class Lease(SharedWeights owner, string hash, LlamaModelHandle handle) : IDisposable
    {
        private int isGivenUp;

        public LlamaModelHandle Handle => handle;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isGivenUp, 1) == 0)
                owner.Release(hash);
        }
    }
}
