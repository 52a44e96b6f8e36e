using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>The files of the one run that a device may have: its data, and states on their way. Nothing in it outlives the run.</summary>
internal sealed class TrainingFolder(string path)
{
    private int states;

    /// <summary>Empties it: what a run that was broken off has left is of no use to the next one.</summary>
    public void Begin()
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        DataFolder.CreatePrivate(path);
    }

    public void End()
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }

    /// <summary>Where a file of training data goes.</summary>
    public string Data(string sha256) => Path.Combine(path, $"{sha256}.jsonl");

    /// <summary>A name for the next state.</summary>
    public string NextState() => Path.Combine(path, $"state-{Interlocked.Increment(ref states)}.safetensors");
}
