namespace EgpuFleet.Dashboard;

/// <summary>Every limit of the dashboard, each with its reason.</summary>
public static class Limits
{
    /// <summary>Often enough to look alive, rarely enough that a hundred nodes cost nothing; one poll serves every viewer.</summary>
    public static readonly TimeSpan FleetPeriod = TimeSpan.FromSeconds(1);

    /// <summary>A page of the job list changes more slowly than the fleet.</summary>
    public static readonly TimeSpan JobListPeriod = TimeSpan.FromSeconds(2);

    /// <summary>How long a stored picture may serve a new viewer's first paint.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(2);

    /// <summary>A first paint waits no longer for the API: the page then says what is missing and goes on trying.</summary>
    public static readonly TimeSpan FirstPaint = TimeSpan.FromSeconds(2);

    /// <summary>The gateway is on this machine; past this it hangs, and the page says so.</summary>
    public static readonly TimeSpan Call = TimeSpan.FromSeconds(10);

    /// <summary>Pause before a broken event stream is opened again, as the stream's own <c>retry</c> field says.</summary>
    public static readonly TimeSpan StreamRetry = TimeSpan.FromSeconds(2);

    /// <summary>A burst of events is drawn at most four times a second: faster is flicker.</summary>
    public static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(250);

    /// <summary>Jobs on the first page: what fits below the devices without hiding them.</summary>
    public const int RecentJobs = 8;

    /// <summary>Jobs on one page of the list.</summary>
    public const int JobsPerPage = 25;

    /// <summary>Results shown on the page of a job; the file has all.</summary>
    public const int PreviewResults = 5;

    /// <summary>Characters of one result shown: a long text would push the rest off the page.</summary>
    public const int PreviewCharacters = 600;

    /// <summary>Events kept of one job; a viewer's memory must not grow with a job's length.</summary>
    public const int Events = 2000;

    /// <summary>Lines of a fine-tuning's story read at once, as the API allows at most.</summary>
    public const int EventPage = 100;

    /// <summary>Points of a loss curve that are kept: more than a screen has columns.</summary>
    public const int CurvePoints = 4000;

    /// <summary>Checkpoints of a fine-tuning that are shown, newest first.</summary>
    public const int CheckpointRows = 20;

    /// <summary>Lines of the log drawn at once.</summary>
    public const int EventLines = 200;

    /// <summary>Devices drawn in the picture of a job's shards.</summary>
    public const int Lanes = 32;

    /// <summary>Attempts drawn in the picture of a job's shards, newest first: more are thinner than a pixel.</summary>
    public const int Bars = 600;

    /// <summary>Circuits kept for a viewer who lost the connection: nothing is in them that the URL does not hold.</summary>
    public const int DisconnectedCircuits = 20;

    /// <summary>How long such a circuit waits for its viewer.</summary>
    public static readonly TimeSpan DisconnectedCircuit = TimeSpan.FromMinutes(1);
}
