using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Membership;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary><see cref="InternalRoutes.TrainingNotes"/>: what a run tells of itself, from the node that holds its lease.</summary>
internal sealed class TrainingNoteRoute(IFineTuningStore store, NodeAuthentication nodes)
{
    public async Task<IResult> HandleAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var said = await InternalJson.ReadAsync<TrainingNotes>(request, TrainingJson.Options);
        if (!JobId.TryParse(said.Job, out var job) || said.Shard < 0 || said.Epoch < 1)
            throw GatewayException.Invalid("job", "job, shard and epoch name no lease.");
        if (TrainingNoteRules.WhatIsWrong(said.Notes) is { } wrong)
            throw GatewayException.Invalid("notes", wrong);
        return await store.NoteAsync(
            new ShardId(job, said.Shard),
            said.Epoch,
            node,
            said.Notes,
            cancellationToken
        ) switch
        {
            NotesOutcome.Kept => Results.NoContent(),
            NotesOutcome.Fenced => throw new GatewayException(
                HttpStatusCode.Conflict,
                "fenced",
                "The lease is not the current one of its shard."
            ),
            _ => throw GatewayException.NotFound($"No fine-tuning run is called {job}."),
        };
    }
}
