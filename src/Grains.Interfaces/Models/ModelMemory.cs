namespace EgpuFleet.Grains.Interfaces.Models;

/// <summary>
/// How a model is loaded on every device of a fleet, and the memory that takes. The planner places by it and the agent loads
/// by it, so both must ask here: a model that the planner thinks fits must fit.
/// </summary>
public static class ModelMemory
{
    /// <summary>Sequences a device decodes at once: beyond it a CPU gains little and KV memory grows.</summary>
    public const int Slots = 8;

    /// <summary>Positions per slot at most: a model trained for more gets this many, or no home device would fit it.</summary>
    public const int MaxContextTokens = 8_192;

    /// <summary>Compute buffers and the engine itself, beside weights and KV.</summary>
    public const long ReserveBytes = 128L << 20;

    /// <summary>Positions each slot gets.</summary>
    public static int ContextTokens(int contextLength) => Math.Min(Math.Max(contextLength, 1), MaxContextTokens);

    /// <summary>Bytes to serve a model: weights, the key-value memory of every slot at its context, and the reserve; bounded, never negative.</summary>
    /// <param name="kvBytesPerToken">Of one token of one sequence, in 32-bit floats.</param>
    public static long RequiredBytes(long weightBytes, long kvBytesPerToken, int contextLength)
    {
        var keyValue = (Int128)Math.Max(kvBytesPerToken, 0) * ContextTokens(contextLength) * Slots;
        return (long)Int128.Min(keyValue + Math.Max(weightBytes, 0) + ReserveBytes, long.MaxValue);
    }
}
