namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>
/// How the samples of a run are cut into microshards: equal parts of an epoch, the last one shorter, numbered through all
/// epochs. A microshard is what is leased, contributed and applied as a whole.
/// </summary>
/// <param name="Samples">Of one epoch.</param>
/// <param name="Size">Samples of a microshard.</param>
public sealed record Microshards(int Samples, int Size, int Epochs)
{
    /// <summary>Enough that a lease is worth its message, few enough that a lost member loses little.</summary>
    public const int UsualSize = 64;

    public const int LargestSize = 256;

    /// <summary>Microshards that a member works on in one round: what is lost with it.</summary>
    public const int MostPerMember = 256;

    public int PerEpoch => (Samples + Size - 1) / Size;

    public int Count => checked(PerEpoch * Epochs);

    /// <summary>Places in the epoch's own order of samples.</summary>
    public (int Epoch, Range Samples) Of(int microshard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(microshard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(microshard, Count);
        var first = microshard % PerEpoch * Size;
        return (microshard / PerEpoch, first..Math.Min(first + Size, Samples));
    }
}
