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
    Func<WorkerCommand> command,
    string credential,
    TimeProvider time,
    ILogger<WorkerLauncher> log
)
{
    // The worker's output goes to its own file, never to a pipe of ours that would break with us.
    private const string RunWithLog = "exec \"$@\" >>\"$0\" 2>&1 </dev/null";

    private static readonly TimeSpan ConnectEvery = TimeSpan.FromMilliseconds(20);

    private long logFrom;

    private string RecordFile => Path.Combine(folder, "worker.json");

    private string LogFile => Path.Combine(folder, "worker.log");

    /// <exception cref="WorkerStartException">There is no worker to run, or it did not come up.</exception>
    public async Task<WorkerProcess> StartAsync(CancellationToken cancellationToken)
    {
        DataFolder.CreatePrivate(folder);
        var wanted = command();
        if (Left() is { } left && left.IsOf(wanted) && await AdoptAsync(left, cancellationToken) is { } adopted)
            return adopted;
        await EndLeftAsync();
        File.Delete(RecordFile);
        return await SpawnAsync(wanted, cancellationToken);
    }

    /// <summary>Ends the worker that an earlier agent, or a start that was broken off, has left; returns when it is gone.</summary>
    public async Task EndLeftAsync()
    {
        if (Left() is not { } left)
            return;
        LogEnding(left.ProcessId);
        await ProcessEnd.EndAsync(left.ProcessId, left.Started, Limits.WorkerStopTimeout, time);
    }

    private WorkerRecord? Left() =>
        WorkerRecord.Read(RecordFile) is { } left && ProcessIdentity.Of(left.ProcessId) == left.Started ? left : null;

    /// <summary>The last line of what the worker said.</summary>
    public string LastLine()
    {
        const int MostCharacters = 300;
        var lines = LastWords().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 0 ? string.Empty : lines[^1][..Math.Min(lines[^1].Length, MostCharacters)];
    }

    /// <summary>The end of what this worker, and none before it, wrote to the log, where a crash names its cause.</summary>
    public string LastWords()
    {
        if (!File.Exists(LogFile))
            return string.Empty;
        using var file = new FileStream(
            LogFile,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete
        );
        file.Seek(Math.Max(Math.Min(logFrom, file.Length), file.Length - Limits.LastWordsBytes), SeekOrigin.Begin);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private long LogLength() => File.Exists(LogFile) ? new FileInfo(LogFile).Length : 0;

    private async Task<WorkerProcess?> AdoptAsync(WorkerRecord left, CancellationToken cancellationToken)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Limits.WorkerStartTimeout);
            var client = await WorkerClient.ConnectAsync(left.Socket, credential, limit.Token);
            logFrom = LogLength();
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

    private async Task<WorkerProcess> SpawnAsync(WorkerCommand wanted, CancellationToken cancellationToken)
    {
        if (!File.Exists(wanted.Executable))
            throw new WorkerStartException(
                $"There is no worker at '{wanted.Executable}'. Build it, or pass --engine-dir."
            );
        if (LogLength() > Limits.WorkerLogBytes)
            File.Delete(LogFile);
        logFrom = LogLength();
        var socket = SocketPath();
        var process = Spawn(wanted, socket);
        var record = ProcessIdentity.Of(process.Id) is { } started
            ? new WorkerRecord(process.Id, started, socket, wanted.Executable, wanted.Settings)
            : throw new WorkerStartException($"The worker ended at once. {LastLine()}");
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

    private Process Spawn(WorkerCommand wanted, string socket)
    {
        var worker = WorkerLaunch.StartInfo(wanted.Executable, socket, credential);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = folder };
        foreach (var argument in (string[])["-c", RunWithLog, LogFile, worker.FileName, .. worker.ArgumentList])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in worker.Environment)
            start.Environment[name] = value;
        foreach (var (name, value) in wanted.Settings)
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
                    throw new WorkerStartException($"The worker ended with code {process.ExitCode}. {LastLine()}");
                if (time.GetElapsedTime(started) > Limits.WorkerStartTimeout)
                    throw new WorkerStartException($"The worker does not listen. {LastLine()}");
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
