using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Engines;

/// <summary>What was installed, as its marker says.</summary>
/// <param name="Source">The checkout, or the address that it came from.</param>
/// <param name="Python">Version of the interpreter.</param>
/// <param name="Numpy">Version of numpy.</param>
internal sealed record InstalledTinygrad(
    string Commit,
    string Source,
    string Python,
    string Numpy,
    DateTimeOffset InstalledAt
)
{
    /// <summary>Null where nothing is, or not all of it.</summary>
    public static InstalledTinygrad? Read(TinygradHome home)
    {
        if (!home.IsInstalled)
            return null;
        try
        {
            return JsonSerializer.Deserialize<InstalledTinygrad>(File.ReadAllText(home.Marker), ApiJson.Options);
        }
        catch (JsonException)
        {
            // Not written by us: the next install makes it anew.
            return null;
        }
    }

    public void Write(TinygradHome home) =>
        PrivateFile.Write(home.Marker, JsonSerializer.Serialize(this, ApiJson.Options));
}
