using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Silo.Gateway;

/// <summary>The words by which callers name a kind of device, in a header or in a field.</summary>
internal static class DeviceWords
{
    private static readonly (string Word, DeviceClass Class)[] Words =
    [
        ("cpu", DeviceClass.Cpu),
        ("gpu", DeviceClass.Gpu),
        ("egpu", DeviceClass.ExternalGpu),
        ("apple_gpu", DeviceClass.AppleGpu),
        ("linux_gpu", DeviceClass.LinuxGpu),
    ];

    /// <summary>What a refusal of another word says.</summary>
    public static readonly string MustBe = $"must be one of {string.Join(", ", Words.Select(pair => pair.Word))}";

    /// <summary>Null: the word names no kind of device.</summary>
    public static DeviceClass? Find(string word)
    {
        foreach (var (known, named) in Words)
        {
            if (word == known)
                return named;
        }
        return null;
    }

    public static string? Of(DeviceClass? asked) =>
        asked is null ? null : Array.Find(Words, pair => pair.Class == asked).Word;

    /// <summary>The most precise one.</summary>
    public static string Of(DeviceKind kind) => Words.Last(pair => DeviceChoice.IsOf(pair.Class, kind)).Word;
}
