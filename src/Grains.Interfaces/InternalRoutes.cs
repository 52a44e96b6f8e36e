namespace EgpuFleet.Grains.Interfaces;

/// <summary>HTTP routes between agents and the control silo; each needs a bearer credential and is not part of the public API.</summary>
public static class InternalRoutes
{
    /// <summary>POST, enrolment secret: <c>{"node":"…","credential_sha256":"…"}</c> → 204.</summary>
    public const string Nodes = "/internal/nodes";

    /// <summary>The membership table, node credential: GET all, GET <c>/{silo}</c>, POST <c>/insert</c>, <c>/update</c>, <c>/alive</c>.</summary>
    public const string Membership = "/internal/membership";

    /// <summary>GET <c>/{sha256}</c>, node credential: the bytes of a model file; range requests are honoured.</summary>
    public const string Models = "/internal/models";

    /// <summary>GET <c>/{id}/content</c>, node credential: the bytes of an uploaded file; range requests are honoured.</summary>
    public const string Files = "/internal/files";

    /// <summary>POST, node credential: notes of a fine-tuning run → 204.</summary>
    public const string TrainingNotes = "/internal/training/notes";

    /// <summary>POST, node credential: a checkpoint of a run becomes a model that is served.</summary>
    public const string TrainingResult = "/internal/training/result";

    /// <summary>Checkpoints, node credential: docs/checkpoints.md lists what can be asked.</summary>
    public const string Checkpoints = "/internal/checkpoints";

    /// <summary>Rounds of data parallel training, node credential: docs/data-parallel.md lists what can be asked.</summary>
    public const string TrainingRounds = "/internal/training/rounds";
}
