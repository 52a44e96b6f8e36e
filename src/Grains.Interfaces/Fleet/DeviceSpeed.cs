namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>How weights are stored, as coarsely as speed depends on it.</summary>
public enum WeightKind
{
    /// <summary>About 4 bits a weight.</summary>
    Q4 = 0,

    /// <summary>About 8 bits a weight.</summary>
    Q8 = 1,

    /// <summary>16 bits a weight, or more.</summary>
    F16 = 2,
}

/// <summary>
/// What a device does with weights of one kind, measured by its agent on blocks of real shapes: costs in seconds that add up
/// to the time of a request.
/// </summary>
/// <param name="Step">Of a decoded token, whatever the model.</param>
/// <param name="Block">Of each transformer block for one token.</param>
/// <param name="PerByte">Of each byte of weights read for one token: one over the effective bandwidth.</param>
/// <param name="Prompt">Of a prompt, whatever its length.</param>
/// <param name="PromptBlock">Of each transformer block for a prompt.</param>
/// <param name="PerFlop">Of each multiplication or addition of a prompt: one over the effective rate.</param>
/// <param name="BatchGain">Tokens of eight sequences decoded together over those of one; at least 1.</param>
/// <param name="LoadPerByte">To load weights that are on the node's disk.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceSpeed")]
public sealed record DeviceSpeed(
    [property: Id(0)] WeightKind Kind,
    [property: Id(1)] double Step,
    [property: Id(2)] double Block,
    [property: Id(3)] double PerByte,
    [property: Id(4)] double Prompt,
    [property: Id(5)] double PromptBlock,
    [property: Id(6)] double PerFlop,
    [property: Id(7)] double BatchGain,
    [property: Id(8)] double LoadPerByte
);

/// <summary>What a device does with one model, measured over its live work.</summary>
/// <param name="Sha256">The model.</param>
/// <param name="TokensPerSecond">Of one sequence in decode that was alone on the device.</param>
[GenerateSerializer, Immutable, Alias("fleet.LiveSpeed")]
public sealed record LiveSpeed([property: Id(0)] string Sha256, [property: Id(1)] double TokensPerSecond);
