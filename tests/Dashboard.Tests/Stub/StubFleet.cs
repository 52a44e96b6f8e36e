using System.Collections.Concurrent;
using System.Threading.Channels;
using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Tests.Stub;

/// <summary>
/// STUB of the fleet behind the public API: a test sets what the API shows. It stands for the gateway in tests of the
/// pages only; pages on a real fleet are driven in tests/EndToEnd.Tests.
/// </summary>
public sealed class StubFleet
{
    private readonly ConcurrentDictionary<string, StubJob> jobs = new();

    public IReadOnlyList<NodeInfo> Nodes { get; set; } = [];

    public IReadOnlyList<DeviceInfo> Devices { get; set; } = [];

    public IReadOnlyList<ModelInfo> Models { get; set; } = [];

    public IReadOnlyList<StubTraining> Trainings { get; set; } = [];

    /// <summary>Set: every route of the API answers this problem.</summary>
    public ProblemInfo? Broken { get; set; }

    /// <summary>Newest first, as the API lists them.</summary>
    public IEnumerable<StubJob> Jobs =>
        jobs.Values.OrderByDescending(job => job.Info.CreatedAt).ThenBy(job => job.Info.Id);

    public StubJob? Find(string id) => jobs.GetValueOrDefault(id);

    public StubJob Add(JobInfo info, params JobEventInfo[] events)
    {
        var job = new StubJob(info, events);
        jobs[info.Id] = job;
        return job;
    }
}

/// <summary>One job of the stub, with its log, its results and those who follow it.</summary>
public sealed class StubJob(JobInfo info, IEnumerable<JobEventInfo> events)
{
    private readonly Lock gate = new();
    private readonly List<JobEventInfo> log = [.. events];
    private readonly List<Channel<JobUpdate>> followers = [];

    public JobInfo Info { get; private set; } = info;

    public IReadOnlyList<ResultLine> Results { get; set; } = [];

    /// <summary>Changes the job and tells those who follow it, with a line of its log where one is given.</summary>
    public void Change(JobInfo next, JobEventInfo? line = null)
    {
        lock (gate)
        {
            Info = next;
            if (line is not null)
                log.Add(line);
            foreach (var follower in followers)
            {
                if (line is not null)
                    follower.Writer.TryWrite(new JobUpdate(null, line));
                follower.Writer.TryWrite(new JobUpdate(next, null));
                if (JobInfo.IsTerminal(next.State))
                    follower.Writer.TryComplete();
            }
        }
    }

    /// <summary>Changes the job without telling those who follow it, as a new reason to wait does.</summary>
    public void Hush(JobInfo next)
    {
        lock (gate)
            Info = next;
    }

    /// <summary>Breaks every open event stream, as a restart of the gateway does.</summary>
    public void Disconnect()
    {
        lock (gate)
        {
            foreach (var follower in followers)
                follower.Writer.TryComplete(new IOException("stub: disconnected"));
            followers.Clear();
        }
    }

    public ChannelReader<JobUpdate> Follow(long after)
    {
        lock (gate)
        {
            var follower = Channel.CreateUnbounded<JobUpdate>();
            follower.Writer.TryWrite(new JobUpdate(Info, null));
            foreach (var line in log.Where(line => line.Sequence > after))
                follower.Writer.TryWrite(new JobUpdate(null, line));
            if (JobInfo.IsTerminal(Info.State))
                follower.Writer.Complete();
            else
                followers.Add(follower);
            return follower.Reader;
        }
    }
}
