using System.Globalization;
using EgpuFleet.Silo.Postgres.Retention;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// The <c>[retention]</c> section of the settings (<c>EGPUFLEET_RETENTION__*</c>), in hours: how long finished jobs, their
/// archived records and idempotency keys are kept.
/// </summary>
public static class RetentionSettings
{
    /// <exception cref="StartupException">A key is unknown, or a value is no number in its range.</exception>
    public static RetentionRules Read(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var rules = RetentionRules.Default;
        foreach (var setting in section.GetChildren())
        {
            var kept = Hours(setting);
            rules = setting.Key.ToUpperInvariant() switch
            {
                "FINISHED_HOURS" => rules with { FinishedJobs = kept },
                "ARCHIVE_HOURS" => rules with { ArchivedJobs = kept },
                "KEY_HOURS" => rules with { IdempotencyKeys = kept },
                _ => throw new StartupException($"retention: '{setting.Key}' is not a setting.", ExitCodes.Usage),
            };
        }
        return rules;
    }

    private static TimeSpan Hours(IConfigurationSection setting) =>
        double.TryParse(setting.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var hours)
        && hours >= 0
        && hours <= Limits.RetentionHoursMax
            ? TimeSpan.FromHours(hours)
            : throw new StartupException(
                $"retention {setting.Key} is '{setting.Value}', not a number of hours from 0 to {Limits.RetentionHoursMax}.",
                ExitCodes.Usage
            );
}
