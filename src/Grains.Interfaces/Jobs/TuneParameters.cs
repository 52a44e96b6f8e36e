namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>How a search for faster kernels is made.</summary>
/// <param name="Seconds">It ends after so long, with what was found.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuneParameters")]
public sealed record TuneParameters([property: Id(0)] int Seconds)
{
    /// <summary>The engine whose kernels can be tuned, as devices name it.</summary>
    public const string Engine = "tinygrad";

    /// <summary>Of a search that says nothing of its time: most kernels of a small model.</summary>
    public const int UsualSeconds = 300;

    /// <summary>In less, hardly one kernel is searched.</summary>
    public const int LeastSeconds = 5;

    /// <summary>A worker searches no longer: the device works beside it, but slower.</summary>
    public const int MostSeconds = 3_600;
}
