namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>The statements of a wave, in their order: that of a job's life, so that much of one fits a wave.</summary>
internal enum StatementKind
{
    SubmitPlainJobs,
    SubmitJobs,
    ReleaseJobs,
    StartJobs,
    ResumeJobs,
    StartShards,
    RestartShards,
    RecordResults,
    EndShards,
    RequeueShards,
    HoldJobs,
    PauseJobs,
    SucceedJobs,
    EndJobs,
    ExpireJobs,

    /// <summary>After everything that ends jobs.</summary>
    UnblockJobs,
}
