//! Who is where. A room is there while someone is in it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ws_stack::{Group, MemberOptions, Prepared, SlowConsumer, Subscription};

use super::messages::Told;

/// How many people may be in a room, and how many rooms there may be.
const MAX_PEOPLE: usize = 500;
const MAX_ROOMS: usize = 100;

/// Lines that may wait for someone before the connection is closed with 1013, and the page comes back.
const MAX_WAITING: usize = 64;

/// All rooms, by their names.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    open: Mutex<HashMap<String, Room>>,
}

#[derive(Debug, Default)]
struct Room {
    group: Group,
    names: BTreeSet<String>,
}

/// A person in a room, who leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    /// What is said in the room.
    pub(crate) member: Subscription,
    rooms: Arc<Rooms>,
    group: Group,
    room: String,
    name: String,
}

impl Rooms {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Room>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Enters a room and tells those who are there, with what the newcomer is to be told. A name that is taken gets a number.
    /// `None` when there is no place.
    pub(crate) fn take(rooms: &Arc<Rooms>, room: String, name: &str) -> Option<(Self, String)> {
        // One lock over all of it: who comes sees everyone who came before, and hears of everyone who comes later.
        let mut open = rooms.open();
        if open.len() >= MAX_ROOMS && !open.contains_key(&room) {
            return None;
        }
        let Room { group, names } = open.entry(room.clone()).or_default();
        if names.len() >= MAX_PEOPLE {
            return None;
        }
        let numbered = (2..).map(|number: u32| format!("{name} {number}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| !names.contains(name))?;
        group.try_send(&Prepared::new(Told::Joined { name: &name }.json()), None);
        names.insert(name.clone());
        let people = names.iter().map(String::as_str).collect();
        let welcome = Told::Welcome { room: &room, name: &name, people }.json();
        let mut options = MemberOptions::new(SlowConsumer::Close);
        options.max_messages = MAX_WAITING;
        let (member, group) = (group.subscribe(options), group.clone());
        drop(open);
        Some((Self { member, rooms: Arc::clone(rooms), group, room, name }, welcome))
    }

    /// Tells everyone in the room, the speaker included: all see the same order.
    pub(crate) fn say(&self, text: &str) {
        let told = Told::Said { name: &self.name, text };
        self.group.try_send(&Prepared::new(told.json()), None);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.rooms.open();
        let Some(room) = open.get_mut(&self.room) else { return };
        room.names.remove(&self.name);
        if room.names.is_empty() {
            open.remove(&self.room);
        } else {
            let left = Prepared::new(Told::Left { name: &self.name }.json());
            self.group.try_send(&left, Some(self.member.id()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(rooms: &Arc<Rooms>, room: &str, name: &str) -> Option<Seat> {
        Seat::take(rooms, room.to_owned(), name).map(|(seat, _)| seat)
    }

    #[test]
    fn a_room_is_there_while_someone_is_in_it() {
        let rooms = Arc::<Rooms>::default();
        let seats = [take(&rooms, "lobby", "Ada"), take(&rooms, "lobby", "Ada")].map(Option::unwrap);
        assert_eq!(seats.each_ref().map(|seat| &*seat.name), ["Ada", "Ada 2"]);
        let [first, second] = seats;
        drop(first);
        assert_eq!(take(&rooms, "lobby", "Ada").unwrap().name, "Ada"); // the name is free again
        assert_eq!((rooms.open().len(), second.group.count()), (1, 1));
        drop(second);
        assert_eq!(rooms.open().len(), 0);
    }

    #[test]
    fn people_and_rooms_are_bounded() {
        let rooms = Arc::<Rooms>::default();
        let mut people: Vec<_> = (0..MAX_PEOPLE).map(|_| take(&rooms, "lobby", "Ada")).collect();
        assert!(people.iter().all(Option::is_some));
        assert!(take(&rooms, "lobby", "Grace").is_none());
        people.extend((1..MAX_ROOMS).map(|room| take(&rooms, &room.to_string(), "Ada")));
        assert!(people.iter().all(Option::is_some));
        assert!(take(&rooms, "another", "Grace").is_none());
        assert!(take(&rooms, "1", "Grace").is_some());
        people.truncate(MAX_PEOPLE - 1);
        assert!(take(&rooms, "lobby", "Grace").is_some());
        assert!(take(&rooms, "another", "Grace").is_some());
    }
}
