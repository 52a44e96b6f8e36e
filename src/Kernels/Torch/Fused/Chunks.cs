using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Fused;

/// <summary>
/// Loops over the memory of tensors in chunks of a fixed size, on as many threads as torch may use: what is computed, and in
/// which order it is added, does not depend on how many those are.
/// </summary>
internal static unsafe class Chunks
{
    /// <summary>Floats of a chunk: with two or three operands it stays in a core's second cache.</summary>
    private const long ChunkFloats = 1 << 16;

    /// <summary>Where a contiguous tensor of 32-bit floats lies; valid while it is.</summary>
    public static float* FloatsOf(Tensor tensor)
    {
        using var apart = tensor.detach();
        using var line = apart.view(-1);
        using var first = line.narrow(0, 0, Math.Min(1, line.numel()));
        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }

    /// <summary>How many chunks so many rows make.</summary>
    public static int Count(long rows, long width) => (int)((rows + PerChunk(width) - 1) / PerChunk(width));

    /// <summary>Calls with the number of a chunk, its first row and the row after its last.</summary>
    public static void For(long rows, long width, Action<int, long, long> body)
    {
        var (count, perChunk) = (Count(rows, width), PerChunk(width));
        var threads = get_num_threads();
        if (threads == 1 || count == 1)
        {
            for (var chunk = 0; chunk < count; chunk++)
                body(chunk, chunk * perChunk, Math.Min(rows, (chunk + 1) * perChunk));
            return;
        }
        _ = Parallel.For(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = threads },
            chunk => body(chunk, chunk * perChunk, Math.Min(rows, (chunk + 1) * perChunk))
        );
    }

    private static long PerChunk(long width) => Math.Max(1, ChunkFloats / width);
}
