using System.Globalization;
using EgpuFleet.Grains.Scheduling;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// The <c>[scheduling]</c> section of the settings (<c>EGPUFLEET_SCHEDULING__*</c>): shorter or longer leases. All control
/// silos of a fleet are told the same.
/// </summary>
public static class SchedulingSettings
{
    private const string LeaseSeconds = "lease_seconds";

    /// <exception cref="StartupException">A key is unknown, or a value is no number in its range.</exception>
    public static SchedulingOptions Read(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var options = new SchedulingOptions();
        foreach (var setting in section.GetChildren())
        {
            if (!setting.Key.Equals(LeaseSeconds, StringComparison.OrdinalIgnoreCase))
                throw new StartupException($"scheduling: '{setting.Key}' is not a setting.", ExitCodes.Usage);
            options = WithLease(options, Seconds(setting));
        }
        return options;
    }

    // What is measured in heartbeats grows and shrinks with the lease, as agents' heartbeats do.
    private static SchedulingOptions WithLease(SchedulingOptions options, TimeSpan lease)
    {
        var scale = lease / options.LeaseDuration;
        return options with
        {
            LeaseDuration = lease,
            SilentAfter = options.SilentAfter * scale,
            UnlistedGrace = options.UnlistedGrace * scale,
        };
    }

    private static TimeSpan Seconds(IConfigurationSection setting) =>
        double.TryParse(setting.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && seconds >= Limits.LeaseSecondsMin
        && seconds <= Limits.LeaseSecondsMax
            ? TimeSpan.FromSeconds(seconds)
            : throw new StartupException(
                $"scheduling {setting.Key} is '{setting.Value}', not a number of seconds from {Limits.LeaseSecondsMin} to {Limits.LeaseSecondsMax}.",
                ExitCodes.Usage
            );
}
