#include "orchestrator/journal/chain_walk.h"

#include "orchestrator/journal/pruned_ranges.h"

namespace omnix {

absl::Status ChainWalk::CrossGap(int64_t next_id) {
  OMNIX_ASSIGN_OR_RETURN(const auto range, PrunedFrom(db_, sealer_, last_.id + 1));
  if (!range || range->last != next_id - 1) {
    return DataLoss("rows {} to {} before it are missing, and no prune removed them", last_.id + 1, next_id - 1);
  }
  if (range->before != last_.chain) {
    return DataLoss("the record of the pruned rows {} to {} before it does not follow row {}", range->first,
                    range->last, last_.id);
  }
  pruned_ranges_ += 1;
  pruned_rows_ += range->last - range->first + 1;
  last_ = Head{range->last, range->after};
  return absl::OkStatus();
}

absl::Status ChainWalk::Row(int64_t id, const std::string& payload, const std::string& text, const std::string& chain) {
  if (id != last_.id + 1) OMNIX_RETURN_IF_ERROR(CrossGap(id));
  if (sealer_.EventChain(last_.chain, id, payload, text) != chain) {
    return DataLoss("it was changed, or does not follow the row before it");
  }
  last_ = Head{id, chain};
  return absl::OkStatus();
}

absl::Status ChainWalk::End(const Head& head) {
  const int64_t last_row = last_.id;
  if (last_row < head.id) {
    if (const absl::Status crossed = CrossGap(head.id + 1); !crossed.ok()) {
      return DataLoss("{}: the end was cut off: the head record names row {} as the last, rows go up to {}", db_.path(),
                      head.id, last_row);
    }
  }
  if (last_.id == head.id && last_.chain == head.chain) return absl::OkStatus();
  return DataLoss("{}: the end was changed: the last row (number {}) does not fit the head record, which names row {}",
                  db_.path(), last_row, head.id);
}

}  // namespace omnix
