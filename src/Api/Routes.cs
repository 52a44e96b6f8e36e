namespace EgpuFleet.Api;

/// <summary>Paths of the public API, named once.</summary>
public static class Routes
{
    public const string Jobs = "/api/v1/jobs";
    public const string JobsBulk = Jobs + ":bulk";
    public const string Nodes = "/api/v1/nodes";
    public const string Devices = "/api/v1/devices";
    public const string Models = "/api/v1/models";
    public const string Tunings = "/api/v1/tunings";
    public const string Checkpoints = "/api/v1/checkpoints";
    public const string CheckpointsCollect = Checkpoints + ":collect";
    public const string Files = "/v1/files";
    public const string FineTuning = "/v1/fine_tuning/jobs";
    public const string FineTuningEstimate = "/v1/fine_tuning/estimate";
    public const string Live = "/health/live";
    public const string Ready = "/health/ready";

    public static string Job(string id) => $"{Jobs}/{Uri.EscapeDataString(id)}";

    public static string File(string id) => $"{Files}/{Uri.EscapeDataString(id)}";

    public static string FileContent(string id) => File(id) + "/content";

    public static string JobEvents(string id) => Job(id) + "/events";

    public static string JobResults(string id) => Job(id) + "/results";

    public static string JobWhy(string id) => Job(id) + "/why";

    /// <param name="verb">cancel, hold, release, pause or resume.</param>
    public static string JobVerb(string id, string verb) => $"{Job(id)}/{verb}";

    public static string NodeDoctor(string id) => $"{Nodes}/{Uri.EscapeDataString(id)}/doctor";

    /// <param name="id"><c>node/device</c>.</param>
    public static string Device(string id) =>
        $"{Devices}/{string.Join('/', id.Split('/').Select(Uri.EscapeDataString))}";

    /// <param name="id"><c>node/device</c>.</param>
    /// <param name="verb">eject, attach, clear or rehearse.</param>
    public static string DeviceVerb(string id, string verb) => $"{Device(id)}/{verb}";

    public static string Checkpoint(string id) => $"{Checkpoints}/{Uri.EscapeDataString(id)}";

    public static string CheckpointContent(string id) => Checkpoint(id) + "/content";

    public static string CheckpointServe(string id) => Checkpoint(id) + "/serve";

    public static string CheckpointExport(string id, string format, string file) =>
        $"{Checkpoint(id)}/export/{format}/{file}";

    public static string CheckpointVerify(string id) => Checkpoint(id) + "/verify";

    public static string FineTuningJob(string id) => $"{FineTuning}/{Uri.EscapeDataString(id)}";

    /// <param name="verb">events, checkpoints, cancel, pause or resume.</param>
    public static string FineTuningVerb(string id, string verb) => $"{FineTuningJob(id)}/{verb}";

    public static string Model(string name) => $"{Models}/{Uri.EscapeDataString(name)}";
}
