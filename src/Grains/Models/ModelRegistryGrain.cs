using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Models;

/// <summary>The registered models as they are stored.</summary>
[GenerateSerializer, Alias("fleet.ModelRegistryState")]
public sealed class ModelRegistryState
{
    /// <summary>By name: what a name means now.</summary>
    [Id(0)]
    public IDictionary<string, ModelRecord> ByName { get; } =
        new Dictionary<string, ModelRecord>(StringComparer.Ordinal);

    /// <summary>By content, names replaced since included: a job goes on with the content it was submitted for.</summary>
    [Id(1)]
    public IDictionary<string, ModelRecord> ByContent { get; } =
        new Dictionary<string, ModelRecord>(StringComparer.Ordinal);
}

/// <summary>The registry of models; see <see cref="IModelRegistryGrain"/>.</summary>
[GrainType("model-registry")]
public sealed class ModelRegistryGrain(
    [PersistentState("models", FleetStorage.Name)] IPersistentState<ModelRegistryState> stored
) : Grain, IModelRegistryGrain
{
    public async Task Add(ModelRecord model)
    {
        var state = stored.State;
        if (state.ByName.TryGetValue(model.Ref.Name, out var known) && known.Ref == model.Ref)
            return;
        if (state.ByContent.Count >= Limits.MaxModels && !state.ByContent.ContainsKey(model.Ref.Sha256))
            throw new InvalidOperationException($"The registry holds at most {Limits.MaxModels} models.");
        state.ByName[model.Ref.Name] = model;
        state.ByContent[model.Ref.Sha256] = model;
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            // What is not stored must not be believed: the next call reads the stored state again.
            DeactivateOnIdle();
            throw;
        }
    }

    public Task<ModelRecord?> Find(string name) =>
        Task.FromResult(stored.State.ByName.TryGetValue(name, out var model) ? model : null);

    public Task<ModelRecord?> FindContent(string sha256) =>
        Task.FromResult(stored.State.ByContent.TryGetValue(sha256, out var model) ? model : null);

    public Task<IReadOnlyList<ModelRecord>> List() =>
        Task.FromResult<IReadOnlyList<ModelRecord>>([
            .. stored.State.ByName.Values.OrderBy(model => model.Ref.Name, StringComparer.Ordinal),
        ]);
}
