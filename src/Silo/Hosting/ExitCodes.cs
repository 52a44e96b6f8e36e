namespace EgpuFleet.Silo.Hosting;

/// <summary>How the process ends.</summary>
public static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>EX_TEMPFAIL: declared dead by the cluster; start it again.</summary>
    public const int RestartMe = 75;
}
