using System.Text.Json.Serialization;

namespace EgpuFleet.Kernels.Drivers.Doctor;

public enum CheckState
{
    Ok,

    /// <summary>This keeps a GPU, or the tinygrad engine, from working; the fix says what to do.</summary>
    Failed,

    /// <summary>Not looked at, because nothing here needs it or because something before it is missing.</summary>
    Skipped,

    /// <summary>Looked at, and what was seen does not tell.</summary>
    Unknown,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Id">Stable, in snake_case.</param>
/// <param name="Seen">What was seen, or why nothing was looked at; one line.</param>
/// <param name="Cause">Why it failed, in one sentence; only where it failed.</param>
/// <param name="Fix">An exact command, or the way through System Settings; wherever there is something to do.</param>
public sealed record DoctorCheck(string Id, CheckState State, string Seen, string? Cause = null, string? Fix = null)
{
    public static DoctorCheck Ok(string id, string seen) => new(id, CheckState.Ok, seen);

    public static DoctorCheck Failed(string id, string seen, string cause, string fix) =>
        new(id, CheckState.Failed, seen, cause, fix);

    public static DoctorCheck Skipped(string id, string because) => new(id, CheckState.Skipped, because);

    public static DoctorCheck Unknown(string id, string seen, string? fix = null) =>
        new(id, CheckState.Unknown, seen, null, fix);
}

/// <summary>What the doctor found on one machine.</summary>
/// <param name="Platform"><c>macos</c> or <c>linux</c>.</param>
/// <param name="Checks">In order of cause: what makes later ones fail comes before them.</param>
public sealed record DoctorReport(string Platform, IReadOnlyList<DoctorCheck> Checks)
{
    /// <summary>Whether nothing failed.</summary>
    public bool IsWell => FirstFailure is null;

    /// <summary>The check to act on first.</summary>
    [JsonIgnore]
    public DoctorCheck? FirstFailure => Checks.FirstOrDefault(check => check.State == CheckState.Failed);
}
