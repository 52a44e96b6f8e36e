using System.Text.Json;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>A control silo of the rig and how it is reached.</summary>
public sealed record RigSilo(string Name, int Port, string DataDirectory, RigProcess Process)
{
    public Uri Url { get; } = new($"http://127.0.0.1:{Port}");

    /// <summary>What a leader's holder name begins with when this silo leads; the port is kept over restarts.</summary>
    public string HolderPrefix
    {
        get
        {
            var ports = JsonDocument.Parse(File.ReadAllText(Path.Combine(DataDirectory, "silo", "ports.json")));
            return $"127.0.0.1:{ports.RootElement.GetProperty("silo").GetInt32()}@";
        }
    }

    public string EnrolmentSecret => File.ReadAllText(Path.Combine(DataDirectory, "silo", "enrolment.secret")).Trim();
}
