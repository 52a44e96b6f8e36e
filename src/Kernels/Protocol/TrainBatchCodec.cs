using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// A batch as the body of a frame: inputs, targets, segments, each rows × row tokens 32-bit integers, little-endian. Sizes are
/// checked here, ids by <see cref="TrainBatch.Require"/>.
/// </summary>
internal static class TrainBatchCodec
{
    private const int Arrays = 3;

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: the arrays are not of one size.</exception>
    public static byte[] Encode(TrainBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var count = Count(batch.Rows, batch.RowTokens);
        if (batch.Inputs.Length != count || batch.Targets.Length != count || batch.Segments.Length != count)
            throw Invalid($"A batch of {batch.Rows} rows of {batch.RowTokens} tokens has {count} of each.");
        var body = new byte[Arrays * count * sizeof(int)];
        Write(batch.Inputs, body);
        Write(batch.Targets, body.AsSpan(count * sizeof(int)));
        Write(batch.Segments, body.AsSpan(2 * count * sizeof(int)));
        return body;
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: the body is not of the announced size.</exception>
    public static TrainBatch Decode(int rows, int rowTokens, ReadOnlySpan<byte> body)
    {
        var count = Count(rows, rowTokens);
        if (body.Length != Arrays * count * sizeof(int))
            throw Invalid($"A body of {body.Length} bytes is no batch of {rows} rows of {rowTokens} tokens.");
        var ids = Ids(body);
        return new TrainBatch(rows, rowTokens, ids[..count], ids[count..(2 * count)], ids[(2 * count)..]);
    }

    public static byte[] EncodeIds(IReadOnlyList<int> ids)
    {
        if (ids.Count > Limits.TrainRowTokens)
            throw Invalid($"{ids.Count} tokens are more than {Limits.TrainRowTokens}.");
        var body = new byte[ids.Count * sizeof(int)];
        Write([.. ids], body);
        return body;
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: no whole numbers of 32 bits.</exception>
    public static int[] Ids(ReadOnlySpan<byte> body)
    {
        if (body.Length % sizeof(int) != 0)
            throw Invalid($"A body of {body.Length} bytes holds no 32-bit numbers.");
        var ids = MemoryMarshal.Cast<byte, int>(body).ToArray();
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(ids, ids);
        return ids;
    }

    private static void Write(int[] ids, Span<byte> destination)
    {
        for (var i = 0; i < ids.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(destination[(i * sizeof(int))..], ids[i]);
    }

    /// <summary>Positions of a batch; no more than a frame holds.</summary>
    private static int Count(int rows, int rowTokens)
    {
        const int Most = Limits.BodyBytes / (Arrays * sizeof(int));
        var count = (Int128)rows * rowTokens;
        return rows >= 1 && rowTokens >= 1 && count <= Most
            ? (int)count
            : throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"A batch of {rows} rows of {rowTokens} tokens has not 1..{Most} positions.",
                (long)Int128.Clamp(count, 0, long.MaxValue),
                Most
            );
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
