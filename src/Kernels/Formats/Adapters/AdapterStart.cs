using System.Text;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>
/// First values of an adapter, the same in every engine: B is zero, A uniform in ±1/sqrt(inputs), as PEFT starts it. Each
/// value is a function of the seed, the tensor's name and its place alone.
/// </summary>
public static class AdapterStart
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>Values of A [rank, inputs], row by row.</summary>
    /// <param name="name">Of the tensor, such as <c>blk.0.attn_q.lora_a</c>.</param>
    public static float[] Of(long seed, string name, int rank, int inputs)
    {
        ArgumentNullException.ThrowIfNull(name);
        var stream = unchecked((ulong)seed) ^ Fnv(name);
        var bound = (float)(1 / Math.Sqrt(inputs));
        var values = new float[(long)rank * inputs];
        for (var i = 0; i < values.Length; i++)
        {
            // The upper 24 bits make a float in [0, 1) exactly.
            var unit = (SplitMix(unchecked(stream + ((ulong)i + 1) * Golden)) >> 40) * (1f / (1 << 24));
            values[i] = ((2 * unit) - 1) * bound;
        }
        return values;
    }

    private static ulong SplitMix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>FNV-1a of 64 bits over the name in UTF-8.</summary>
    private static ulong Fnv(string name) =>
        Encoding.UTF8.GetBytes(name).Aggregate(0xCBF29CE484222325, (hash, one) => (hash ^ one) * 0x100000001B3);
}
