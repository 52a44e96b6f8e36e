namespace EgpuFleet.Kernels.Engines;

/// <summary>One call on the device that has not come back.</summary>
/// <param name="Verb"><see cref="Step"/>, or the verb of the worker protocol in snake_case.</param>
/// <param name="Seconds">How long it has lasted; of a verb of training, how long since its last pass ended.</param>
public sealed record DeviceCall(string Verb, double Seconds)
{
    /// <summary>One step of the generations that run: a part of a prompt, or a token of each.</summary>
    public const string Step = "step";
}
