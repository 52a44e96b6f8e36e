using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.NodeAgent.Hosting;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// Brings up the worker of one device: adopts the one an earlier agent left, models and all, or ends that one and spawns
/// another. The worker outlives this process only by the time it keeps its models for the next agent.
/// </summary>
internal sealed partial class WorkerLauncher(
    string folder,
    string executable,
    string credential,
    TimeProvider time,
    ILogger<WorkerLauncher> log
)
{
    // The worker's output goes to its own file, never to a pipe of ours that would break with us.
    private const string RunWithLog = "exec \"$@\" >>\"$0\" 2>&1 </dev/null";

    private static readonly TimeSpan ConnectEvery = TimeSpan.FromMilliseconds(20);

    private string RecordFile => Path.Combine(folder, "worker.json");

    private string LogFile => Path.Combine(folder, "worker.log");

    /// <exception cref="WorkerStartException">There is no worker to run, or it did not come up.</exception>
    public async Task<WorkerProcess> StartAsync(CancellationToken cancellationToken)
    {
        DataFolder.CreatePrivate(folder);
        if (WorkerRecord.Read(RecordFile) is { } left && ProcessIdentity.Of(left.ProcessId) == left.Started)
        {
            if (await AdoptAsync(left, cancellationToken) is { } adopted)
                return adopted;
            LogEnding(left.ProcessId);
            await ProcessEnd.EndAsync(left.ProcessId, left.Started, Limits.WorkerStopTimeout, time);
        }
        File.Delete(RecordFile);
        return await SpawnAsync(cancellationToken);
    }

    /// <summary>The end of the worker's log, where a crash names its cause.</summary>
    public string LastWords()
    {
        const int TailBytes = 2048;
        const int MostCharacters = 300;
        if (!File.Exists(LogFile))
            return string.Empty;
        using var file = new FileStream(
            LogFile,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete
        );
        file.Seek(-Math.Min(file.Length, TailBytes), SeekOrigin.End);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var line = reader
            .ReadToEnd()
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return line.Length == 0 ? string.Empty : line[^1][..Math.Min(line[^1].Length, MostCharacters)];
    }

    private async Task<WorkerProcess?> AdoptAsync(WorkerRecord left, CancellationToken cancellationToken)
    {
        if (left.Executable != executable)
            return null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Limits.WorkerStartTimeout);
            var client = await WorkerClient.ConnectAsync(left.Socket, credential, limit.Token);
            LogAdopted(left.ProcessId, client.Worker.Models.Count);
            return new WorkerProcess(client, left, time);
        }
        catch (EngineException e)
        {
            LogNotAdopted(left.ProcessId, e.Message);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotAdopted(left.ProcessId, "it does not answer");
            return null;
        }
    }

    private async Task<WorkerProcess> SpawnAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(executable))
            throw new WorkerStartException($"There is no worker at '{executable}'. Build it, or pass --engine-dir.");
        if (File.Exists(LogFile) && new FileInfo(LogFile).Length > Limits.WorkerLogBytes)
            File.Delete(LogFile);
        var socket = SocketPath();
        var process = Spawn(socket);
        var record = ProcessIdentity.Of(process.Id) is { } started
            ? new WorkerRecord(process.Id, started, socket, executable)
            : throw new WorkerStartException($"The worker ended at once. {LastWords()}");
        record.Write(RecordFile);
        try
        {
            var client = await ConnectAsync(process, socket, cancellationToken);
            LogSpawned(process.Id);
            return new WorkerProcess(client, record, time);
        }
        catch
        {
            await ProcessEnd.EndAsync(record.ProcessId, record.Started, Limits.WorkerStopTimeout, time);
            throw;
        }
    }

    private Process Spawn(string socket)
    {
        var worker = WorkerLaunch.StartInfo(executable, socket, credential);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = folder };
        foreach (var argument in (string[])["-c", RunWithLog, LogFile, worker.FileName, .. worker.ArgumentList])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in worker.Environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start) ?? throw new WorkerStartException("The worker could not be started.");
        }
        catch (Win32Exception e)
        {
            throw new WorkerStartException($"The worker could not be started: {e.Message}");
        }
    }

    private async Task<WorkerClient> ConnectAsync(Process process, string socket, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await WorkerClient.ConnectAsync(socket, credential, cancellationToken);
            }
            catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
            {
                if (process.HasExited)
                    throw new WorkerStartException($"The worker ended with code {process.ExitCode}. {LastWords()}");
                if (time.GetElapsedTime(started) > Limits.WorkerStartTimeout)
                    throw new WorkerStartException($"The worker does not listen. {LastWords()}");
            }
            await Task.Delay(ConnectEvery, time, cancellationToken);
        }
    }

    /// <summary>In the worker's folder; where that path is too long for a socket address, in a new private folder.</summary>
    private string SocketPath()
    {
        var path = Path.Combine(folder, "worker.sock");
        if (Encoding.UTF8.GetByteCount(path) <= Kernels.Limits.SocketPathBytes)
            return path;
        return Path.Combine(Directory.CreateTempSubdirectory("egpufleet-").FullName, "worker.sock");
    }
}

/// <summary>A worker did not come up; the message says why.</summary>
internal sealed class WorkerStartException(string message) : Exception(message);
