/** The actions of states with slots: to claim one, and to return it without a report. */
import { Action, type ActionsProps, Labelled } from './action.tsx';

/** States with slots whose actions are shown: the others can be claimed by curl. */
const STATES_SHOWN = 8;

export function SlotActions(props: ActionsProps) {
  return (
    <>
      {props.status.claims.slice(0, STATES_SHOWN).flatMap(({ state, slots, holders }) => {
        const query = new URLSearchParams({ state });
        const isFull = slots !== null && holders.length >= slots;
        return [
          <Action
            {...props}
            id={`claim ${state}`}
            method="POST"
            at={`/claims?${query}`}
            kind="quiet"
            label={<Labelled text="Claim a slot" state={state} />}
          >
            <p class="soft">
              {isFull
                ? 'All slots are held. It renews the lease of yours.'
                : 'Holds one for you, or renews its lease.'}
            </p>
          </Action>,
          holders.length === 0 ? null : (
            <Action
              {...props}
              id={`return ${state}`}
              method="DELETE"
              at={`/claims?${query}`}
              kind="quiet"
              label={<Labelled text="Return the slot" state={state} />}
            >
              <p class="soft">Frees your slot without a report.</p>
            </Action>
          ),
        ];
      })}
    </>
  );
}
