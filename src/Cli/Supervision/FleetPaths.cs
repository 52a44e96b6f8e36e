namespace EgpuFleet.Cli.Supervision;

/// <summary>What lies where in a fleet's data directory.</summary>
internal sealed class FleetPaths(string data)
{
    public string Data { get; } = data;

    /// <summary>URL and processes of the running fleet.</summary>
    public string FleetFile => Path.Combine(Data, "fleet.json");

    /// <summary>Held by the supervisor as long as it lives.</summary>
    public string Lock => Path.Combine(Data, "fleet.lock");

    public string EnrolmentSecret => Path.Combine(Data, "silo", "enrolment.secret");

    public string Postmaster => Path.Combine(Data, "postgres", "data", "postmaster.pid");

    public string Agents => Path.Combine(Data, "agents");

    /// <summary>What <c>fleet engine install</c> puts there, for all agents.</summary>
    public string Engines => Path.Combine(Data, "engines");

    public string Logs => Path.Combine(Data, "logs");

    public string Agent(string node) => Path.Combine(Agents, node);

    public string Credential(string node) => Path.Combine(Agent(node), "node.credential");

    public string Log(string name) => Path.Combine(Logs, name + ".log");

    /// <summary>Makes the directory and its folders, for this user only; a directory that is there keeps its mode.</summary>
    public void Create()
    {
        Directory.CreateDirectory(Data, PrivateFile.FolderMode);
        Directory.CreateDirectory(Agents, PrivateFile.FolderMode);
        Directory.CreateDirectory(Logs, PrivateFile.FolderMode);
    }
}
