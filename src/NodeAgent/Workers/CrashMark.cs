namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// What is remembered of a GPU beyond a crash of the machine. It is noted as open before a worker opens it, and as closed when
/// that worker has ended while the machine lives. One that is still noted as open in another boot was open when the machine
/// went down; so often in a row, the GPU is left alone until its owner says otherwise. Pure.
/// </summary>
/// <param name="Boot">The boot in which it was last opened.</param>
/// <param name="Crashes">Boots in a row that ended while it was open.</param>
internal sealed record CrashMark(string Boot, bool IsOpen, int Crashes)
{
    public static readonly CrashMark None = new("", IsOpen: false, 0);

    public bool IsTripped => Crashes >= Limits.CrashesToGuard;

    /// <summary>When an agent starts.</summary>
    public CrashMark AtStart(string boot) =>
        IsOpen && Boot != boot ? this with { IsOpen = false, Crashes = Crashes + 1 } : this;

    public CrashMark Opening(string boot) => this with { Boot = boot, IsOpen = true };

    /// <summary>A GPU that was open and is closed has not taken the machine with it.</summary>
    public CrashMark Closed() => IsOpen ? this with { IsOpen = false, Crashes = 0 } : this;
}
