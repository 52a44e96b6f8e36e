namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>Which protocol a Thunderbolt device speaks with its host.</summary>
public enum ThunderboltGeneration
{
    Unknown,
    Thunderbolt1,
    Thunderbolt2,
    Thunderbolt3,

    /// <summary>Thunderbolt 4 and USB4, 40 Gb/s.</summary>
    Usb4,

    /// <summary>Thunderbolt 5 and USB4 version 2, 80 Gb/s.</summary>
    Usb4Version2,
}

/// <summary>A device on Thunderbolt: an enclosure, a hub, a drive. What is not known is null.</summary>
/// <param name="Firmware">Its version, as <c>62.62</c>.</param>
/// <param name="Gigabits">Speed of the link in use, Gb/s.</param>
public sealed record ThunderboltDevice(
    string? Vendor,
    string? Name,
    string? Firmware,
    ThunderboltGeneration Generation,
    double? Gigabits
)
{
    public override string ToString()
    {
        var speed = Gigabits is null ? "" : $", {Gigabits} Gb/s";
        var firmware = Firmware is null ? "" : $", firmware {Firmware}";
        return $"{$"{Vendor} {Name}".Trim()} ({Generation}{speed}{firmware})";
    }
}

/// <summary>Reads the Thunderbolt part of a report.</summary>
public static class ThunderboltReport
{
    private const string Upstream = "receptacle_upstream_ambiguous_tag.current_speed_key";

    /// <summary>The devices; not the Mac's own ports, and not other Macs at the end of a cable.</summary>
    public static IReadOnlyList<ThunderboltDevice> Devices(IReadOnlyList<ProfilerItem> items) =>
        [
            .. items
                .Where(item => item.Depth > 0 && item.Field("domain_uuid_key") is null)
                .Select(item => new ThunderboltDevice(
                    DisplayNumbers.Plain(item.Field("vendor_name_key")),
                    DisplayNumbers.Plain(item.Field("device_name_key") ?? item.Name),
                    DisplayNumbers.Plain(item.Field("switch_version_key")),
                    Generation(item.Field("mode_key") ?? ""),
                    DisplayNumbers.Leading(item.Field(Upstream, "receptacle_upstream_tag.current_speed_key"))
                )),
        ];

    private static ThunderboltGeneration Generation(string mode) =>
        mode switch
        {
            "usb_four_v2" => ThunderboltGeneration.Usb4Version2,
            "usb_four" or "thunderbolt_four" => ThunderboltGeneration.Usb4,
            "thunderbolt_three" => ThunderboltGeneration.Thunderbolt3,
            "thunderbolt_two" => ThunderboltGeneration.Thunderbolt2,
            "thunderbolt_one" or "thunderbolt" => ThunderboltGeneration.Thunderbolt1,
            _ => ThunderboltGeneration.Unknown,
        };
}
