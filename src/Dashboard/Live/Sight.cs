using EgpuFleet.Dashboard.Gateway;

namespace EgpuFleet.Dashboard.Live;

/// <summary>What was last seen of something, and what is wrong with seeing it now.</summary>
/// <param name="Value">The last good value; null before the first.</param>
/// <param name="At">When it was read.</param>
/// <param name="Trouble">Why the latest read failed; null when it did not.</param>
public sealed record Sight<T>(T? Value = null, DateTimeOffset? At = null, Trouble? Trouble = null)
    where T : class;
