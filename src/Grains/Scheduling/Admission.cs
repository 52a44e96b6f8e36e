using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What can be said to submits without the loop: those that can never run are refused, the rest is looked up.</summary>
internal sealed class Admission
{
    private readonly List<int> places = [];

    private Admission(SubmitRequest[] requests, SubmitReply[] replies, ModelRecord?[] models)
    {
        for (var i = 0; i < requests.Length; i++)
        {
            if (replies[i] is null)
                places.Add(i);
        }
        Replies = replies;
        Requests = places.Count == requests.Length ? requests : [.. places.Select(i => requests[i])];
        Models = places.Count == requests.Length ? models : [.. places.Select(i => models[i])];
    }

    /// <summary>One for each request asked about; filled by <see cref="Take"/> for those that go on.</summary>
    public SubmitReply[] Replies { get; }

    /// <summary>The requests that go on, and the models they need.</summary>
    public SubmitRequest[] Requests { get; }
    public ModelRecord?[] Models { get; }

    public static async Task<Admission> LookAsync(
        SubmitRequest[] requests,
        IModelCatalog catalog,
        CancellationToken cancellationToken
    )
    {
        var replies = new SubmitReply[requests.Length];
        var models = new ModelRecord?[requests.Length];
        Dictionary<ModelRef, ModelRecord?>? known = null;
        for (var i = 0; i < requests.Length; i++)
        {
            var spec = requests[i].Spec;
            if (WhatIsTooLarge(requests[i]) is { } tooLarge)
            {
                replies[i] = new SubmitReply(
                    SubmitOutcome.Refused,
                    spec.Id,
                    new Refusal(RefusalCode.TooLarge, tooLarge)
                );
                continue;
            }
            if (spec.Model is not { } named)
                continue;
            known ??= [];
            if (!known.TryGetValue(named, out models[i]))
                known.Add(named, models[i] = await catalog.FindAsync(named, cancellationToken));
            if (models[i] is null)
                replies[i] = new SubmitReply(
                    SubmitOutcome.Refused,
                    spec.Id,
                    new Refusal(RefusalCode.ModelNotFound, $"No model '{named.Name}' is registered.")
                );
        }
        return new Admission(requests, replies, models);
    }

    /// <summary>Puts the replies to <see cref="Requests"/> where they belong.</summary>
    public void Take(SubmitReply[] replies)
    {
        for (var i = 0; i < replies.Length; i++)
            Replies[places[i]] = replies[i];
    }

    private static string? WhatIsTooLarge(SubmitRequest request)
    {
        if (request.Spec.ItemCount is < 1 or > Limits.MaxItemsPerJob)
            return $"A job has 1 to {Limits.MaxItemsPerJob} items.";
        return request.Spec.Rules.DependsOn.Count > Limits.MaxDependencies
            ? $"A job waits for {Limits.MaxDependencies} others at most."
            : null;
    }
}
